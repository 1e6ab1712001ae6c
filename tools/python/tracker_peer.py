"""The Python side of `verify -- trackers`: a run by wandb's own client, and what mlflow's and tensorboard's read back, as JSON."""

import json
import sys
from pathlib import Path


def wandb_run(folder: str, spec: dict) -> None:
    """The same run that qlora.js logs, by the official client (address and key from the environment)."""
    import wandb

    settings = wandb.Settings(
        console="off", save_code=False, disable_git=True, x_disable_stats=True, x_disable_meta=True, x_save_requirements=False
    )
    run = wandb.init(
        dir=folder,
        project=spec["project"],
        group=spec["group"],
        name=spec["name"],
        job_type=spec["jobType"],
        tags=spec["tags"],
        id=spec["id"],
        config=spec["config"],
        settings=settings,
    )
    for step, metrics in spec["rows"]:
        run.log({name: float(value) for name, value in metrics.items()}, step=step)
    run.summary.update(spec["summary"])
    artifact = wandb.Artifact(spec["artifact"], "model")
    artifact.add_dir(spec["artifactFolder"])
    run.log_artifact(artifact)
    run.finish()


def mlflow_read(uri: str, experiment: str) -> list:
    """Every run of an experiment as mlflow's client sees it."""
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=uri)
    found = client.get_experiment_by_name(experiment)
    runs = []
    for run in client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"]):
        run_id = run.info.run_id
        history = {
            key: [[metric.step, str(metric.value)] for metric in client.get_metric_history(run_id, key)] for key in run.data.metrics
        }
        files = {}
        for top in client.list_artifacts(run_id):
            for file in client.list_artifacts(run_id, top.path):
                files[file.path] = Path(mlflow.artifacts.download_artifacts(f"runs:/{run_id}/{file.path}", tracking_uri=uri)).read_text()
        runs.append(
            {
                "id": run_id,
                "name": run.info.run_name,
                "status": run.info.status,
                "params": dict(run.data.params),
                "tags": dict(run.data.tags),
                "history": history,
                "files": files,
            }
        )
    return runs


def tensorboard_read(folder: str) -> dict:
    """Scalars, texts, histograms and hparams of an event folder as tensorboard reads them."""
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.plugins.hparams import plugin_data_pb2
    from tensorboard.util import tensor_util

    events = event_accumulator.EventAccumulator(folder, size_guidance={name: 0 for name in ("scalars", "tensors", "histograms")})
    events.Reload()
    scalars = {tag: [[s.step, str(s.value)] for s in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    tensors, hparams = {}, {}
    for tag in events.Tags()["tensors"]:
        plugin = events.SummaryMetadata(tag).plugin_data
        if plugin.plugin_name == "hparams":
            data = plugin_data_pb2.HParamsPluginData.FromString(plugin.content)
            if tag == "_hparams_/session_start_info":
                values = data.session_start_info.hparams
                hparams = {name: getattr(values[name], values[name].WhichOneof("kind")) for name in values}
            if tag == "_hparams_/experiment":
                tensors["metrics"] = [info.name.tag for info in data.experiment.metric_infos]
            if tag == "_hparams_/session_end_info":
                tensors["session_status"] = int(data.session_end_info.status)
            continue
        value = tensor_util.make_ndarray(events.Tensors(tag)[-1].tensor_proto)
        tensors[tag] = value.tolist() if plugin.plugin_name == "histograms" else value.item().decode()
    return {"scalars": scalars, "tensors": tensors, "hparams": hparams}


if __name__ == "__main__":
    what, *args = sys.argv[1:]
    if what == "wandb":
        wandb_run(args[0], json.loads(args[1]))
    else:
        print("\n" + json.dumps({"mlflow": mlflow_read, "tensorboard": tensorboard_read}[what](*args)))
