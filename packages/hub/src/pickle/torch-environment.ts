import { type SafetensorsDtype } from '../dtype/dtypes';
import { type DocumentBudget, shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { pickleCosts, safeRemedy } from './limits';
import { type PickleEnvironment } from './machine';
import { checkedTensor, TorchStorage, TorchTensor } from './torch-tensor';
import { PickleDict, PickleGlobal, PickleList, PickleTuple, type PickleValue, typeName } from './values';

/** Storage classes that torch.save names (torch/storage.py, `_dtype_to_storage_type_map`), by what they hold. */
const storageDtypes = new Map<string, SafetensorsDtype>([
  ['DoubleStorage', 'F64'],
  ['FloatStorage', 'F32'],
  ['HalfStorage', 'F16'],
  ['BFloat16Storage', 'BF16'],
  ['LongStorage', 'I64'],
  ['IntStorage', 'I32'],
  ['ShortStorage', 'I16'],
  ['CharStorage', 'I8'],
  ['ByteStorage', 'U8'],
  ['BoolStorage', 'BOOL'],
  ['ComplexFloatStorage', 'C64'],
  ['UntypedStorage', 'U8'],
]);

/** dtypes without a storage class of their own come as `torch.X` beside an UntypedStorage (_rebuild_tensor_v3). */
const namedDtypes = new Map<string, SafetensorsDtype>([
  ['uint16', 'U16'],
  ['uint32', 'U32'],
  ['uint64', 'U64'],
  ['float8_e5m2', 'F8_E5M2'],
  ['float8_e4m3fn', 'F8_E4M3'],
  ['float8_e8m0fnu', 'F8_E8M0'],
  ['float8_e4m3fnuz', 'F8_E4M3FNUZ'],
  ['float8_e5m2fnuz', 'F8_E5M2FNUZ'],
]);

/** The allow-list of globals and the storages of a torch.save pickle, legacy or zip. */
export class TorchEnvironment implements PickleEnvironment {
  /** Every storage named, by key. */
  readonly storages = new Map<string, TorchStorage>();
  private readonly globals = new Map<string, PickleGlobal>();

  private readonly place: string;

  constructor(readonly budget: DocumentBudget) {
    this.place = budget.place;
    const callables: Record<string, (args: readonly PickleValue[]) => PickleValue> = {
      'collections.OrderedDict': (args) => this.orderedDict(args),
      'torch._utils._rebuild_tensor': (args) => this.tensor(args),
      'torch._utils._rebuild_tensor_v2': (args) => this.tensor(args),
      'torch._utils._rebuild_tensor_v3': (args) => this.tensor(args, args[6]),
      // (data, requires_grad, backward_hooks): a parameter is its tensor here.
      'torch._utils._rebuild_parameter': (args) => args[0] ?? null,
      'torch.Size': (args) => (args[0] instanceof PickleTuple ? args[0] : this.fail('torch.Size of no tuple')),
    };
    for (const [name, call] of Object.entries(callables)) this.globals.set(name, new PickleGlobal(name, call));
    for (const [name] of storageDtypes) this.globals.set(`torch.${name}`, new PickleGlobal(`torch.${name}`));
    for (const [name] of namedDtypes) this.globals.set(`torch.${name}`, new PickleGlobal(`torch.${name}`));
    // Where newer versions of torch define the class that has no dtype of its own.
    this.globals.set('torch.storage.UntypedStorage', this.globals.get('torch.UntypedStorage')!);
  }

  global(module: string, name: string): PickleGlobal {
    const full = `${module}.${name}`;
    const found = this.globals.get(full);
    if (found !== undefined) return found;
    throw new HubError(
      'UNSAFE_PICKLE',
      `${this.place}: the pickle asks for ${shown(full)}, which is not on the list of what a state dict needs. ` +
        safeRemedy,
      { place: this.place, value: full },
    );
  }

  /** ('storage', storage type, key, location, elements[, view]) as torch/serialization.py writes it. */
  persistent(id: PickleValue): PickleValue {
    if (!(id instanceof PickleTuple) || id.items[0] !== 'storage') {
      return this.fail(`a persistent id is ${typeName(id)}, not a storage`);
    }
    this.budget.spend(...pickleCosts.storage);
    const [, type, key, , elements, view = null] = id.items;
    const name = type instanceof PickleGlobal ? type.name.split('.').at(-1)! : '';
    const dtype = storageDtypes.get(name);
    if (dtype === undefined) return this.fail(`a storage has the type ${typeName(type)}`);
    if (typeof key !== 'string' || !isCount(elements)) return this.fail('a storage has no key or length');
    const [start, length] = view === null ? [0, elements] : this.view(view, elements);
    const storage = new TorchStorage(dtype, key, elements, start, length);
    const known = this.storages.get(key);
    if (known === undefined) this.storages.set(key, storage);
    else if (known.rootElements * known.itemBytes !== elements * storage.itemBytes) {
      return this.fail(`storage ${shown(key)} comes with two lengths`);
    }
    return storage;
  }

  /** (view key, offset, length): a storage that is a window on another, as early versions of torch wrote it. */
  private view(view: PickleValue, rootElements: number): [start: number, length: number] {
    const [, start, length] = view instanceof PickleTuple ? view.items : [];
    if (!isCount(start) || !isCount(length) || start + length > rootElements) {
      return this.fail('a view leaves its storage');
    }
    return [start, length];
  }

  /** (storage, offset, size, stride, ...) of torch/_utils.py. */
  private tensor(args: readonly PickleValue[], named?: PickleValue): TorchTensor {
    this.budget.spend(...pickleCosts.tensor);
    const [storage, offset, size, stride] = args;
    if (!(storage instanceof TorchStorage)) return this.fail(`a tensor lies in ${typeName(storage)}, not a storage`);
    if (!isCount(offset) || !(size instanceof PickleTuple) || !(stride instanceof PickleTuple)) {
      return this.fail('a tensor has no offset, size or stride');
    }
    const geometry = { offset, shape: size.items, stride: stride.items };
    if (named === undefined) {
      return checkedTensor({ storage, dtype: storage.dtype, ...geometry }, this.place);
    }
    const dtype = named instanceof PickleGlobal ? namedDtypes.get(named.name.slice('torch.'.length)) : undefined;
    if (dtype === undefined) return this.fail(`a tensor has the dtype ${typeName(named)}`);
    if (storage.start !== 0) return this.fail(`a view of a storage has the dtype ${dtype}`);
    return checkedTensor({ storage: this.retyped(storage, dtype), dtype, ...geometry }, this.place);
  }

  private retyped(storage: TorchStorage, dtype: SafetensorsDtype): TorchStorage {
    const probe = new TorchStorage(dtype, storage.key, 0, 0, 0);
    const count = (elements: number): number => Math.floor((elements * storage.itemBytes) / probe.itemBytes);
    return new TorchStorage(dtype, storage.key, count(storage.rootElements), 0, count(storage.elements));
  }

  /** OrderedDict() with its items set later, or, from Python 2, OrderedDict([[key, value], ...]). */
  private orderedDict(args: readonly PickleValue[]): PickleDict {
    const dict = new PickleDict();
    const [pairs] = args;
    if (pairs === undefined) return dict;
    if (!(pairs instanceof PickleList)) return this.fail(`OrderedDict of ${typeName(pairs)}`);
    const [steps, memory] = pickleCosts.entry;
    this.budget.spend(steps * pairs.items.length, memory * pairs.items.length);
    for (const pair of pairs.items) {
      const items = pair instanceof PickleList || pair instanceof PickleTuple ? pair.items : [];
      if (items.length !== 2) return this.fail('an OrderedDict has an item that is no pair');
      dict.entries.set(items[0]!, items[1]!);
    }
    return dict;
  }

  private fail(problem: string): never {
    throw new HubError('CORRUPT_FILE', `${this.place}: not a torch.save file that can be read: ${problem}.`, {
      place: this.place,
    });
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The tensors of a pickled state dict by name, and the names of what else it holds. */
export function stateDict(value: PickleValue, place: string): { tensors: Map<string, TorchTensor>; others: string[] } {
  if (!(value instanceof PickleDict)) {
    throw new HubError('UNSUPPORTED', `${place} holds ${typeName(value)}, not a state dict. ${safeRemedy}`, { place });
  }
  const tensors = new Map<string, TorchTensor>();
  const others: string[] = [];
  for (const [key, entry] of value.entries) {
    if (typeof key === 'string' && entry instanceof TorchTensor) tensors.set(key, entry);
    else others.push(typeof key === 'string' ? key : typeName(key));
  }
  if (tensors.size === 0) {
    const list = others
      .slice(0, 10)
      .map((name) => shown(name))
      .join(', ');
    throw new HubError(
      'UNSUPPORTED',
      `${place}: no tensor at the top level of the pickle, only: ${list || 'nothing'}. ${safeRemedy}`,
      { place },
    );
  }
  return { tensors, others };
}
