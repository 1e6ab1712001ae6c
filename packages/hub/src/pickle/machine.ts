import { type DocumentBudget, shown } from '@qlora-js/read-budget';
import { HubError } from '../error';
import { PickleCursor } from './cursor';
import { pickleCosts, pickleLimits, safeRemedy } from './limits';
import { PickleDict, PickleGlobal, PickleList, PickleTuple, type PickleValue, typeName } from './values';

/** What the machine asks its caller: the only ways by which a pickle reaches anything outside itself. */
export interface PickleEnvironment {
  /** The account that what is built is booked on; its place is named in errors. */
  readonly budget: DocumentBudget;
  /** The allow-list: throws for anything that is not on it. */
  global(module: string, name: string): PickleGlobal;
  /** What a persistent id stands for. */
  persistent(id: PickleValue): PickleValue;
}

/**
 * Runs one pickle from `start` and gives its value and the place after its STOP. A stack machine for the opcodes that
 * binary pickles of plain data use (protocols 2 to 5; the names below are pickletools'). Calls are made only of globals
 * that the environment hands out, so nothing in the file can run: opcodes that make objects of other classes (INST,
 * OBJ, NEWOBJ, EXT1, ...) and the text opcodes of protocol 0 are refused by name.
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  environment: PickleEnvironment,
): { value: PickleValue; end: number } {
  const machine = new PickleMachine(new PickleCursor(bytes, start, environment.budget.place), environment);
  return { value: machine.run(), end: machine.cursor.at };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const refusedOpcodes: Record<number, string> = {
  0x46: 'FLOAT',
  0x49: 'INT',
  0x4c: 'LONG',
  0x50: 'PERSID',
  0x53: 'STRING',
  0x56: 'UNICODE',
  0x67: 'GET',
  0x69: 'INST',
  0x6f: 'OBJ',
  0x70: 'PUT',
  0x81: 'NEWOBJ',
  0x82: 'EXT1',
  0x83: 'EXT2',
  0x84: 'EXT4',
  0x91: 'FROZENSET',
  0x92: 'NEWOBJ_EX',
  0x97: 'NEXT_BUFFER',
  0x98: 'READONLY_BUFFER',
};

class PickleMachine {
  private stack: PickleValue[] = [];
  private readonly marks: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly budget: DocumentBudget;
  private readonly place: string;

  constructor(
    readonly cursor: PickleCursor,
    private readonly environment: PickleEnvironment,
  ) {
    this.budget = environment.budget;
    this.place = environment.budget.place;
  }

  run(): PickleValue {
    const { cursor } = this;
    for (;;) {
      const at = cursor.at;
      const opcode = cursor.byte();
      if (opcode === 0x2e) break;
      this.budget.spend(...pickleCosts.opcode);
      this.step(opcode, at);
    }
    const value = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0) throw this.corrupt('values are left on its stack');
    return value;
  }

  private step(opcode: number, at: number): void {
    const { cursor } = this;
    switch (opcode) {
      case 0x80: {
        const protocol = cursor.byte();
        if (protocol < 2 || protocol > 5) throw this.corrupt(`it has protocol ${protocol}, not 2 to 5`);
        return;
      }
      case 0x95: // FRAME: a hint for buffering, its length is of no use here
        cursor.length64();
        return;
      case 0x28: // MARK
        if (this.marks.length >= pickleLimits.marks) throw this.corrupt('it nests too deep');
        this.marks.push(this.stack);
        this.stack = [];
        return;
      case 0x30: // POP
        if (this.stack.length > 0) this.stack.pop();
        else this.popMark();
        return;
      case 0x31: // POP_MARK
        this.popMark();
        return;
      case 0x32: // DUP
        return this.push(this.top());
      case 0x4e: // NONE
        return this.push(null);
      case 0x88: // NEWTRUE
        return this.push(true);
      case 0x89: // NEWFALSE
        return this.push(false);
      case 0x4a: // BININT
        return this.push(cursor.int32());
      case 0x4b: // BININT1
        return this.push(cursor.byte());
      case 0x4d: // BININT2
        return this.push(cursor.uint16());
      case 0x8a: // LONG1
        return this.integer(cursor.byte());
      case 0x8b: // LONG4
        return this.integer(cursor.int32());
      case 0x47: // BINFLOAT
        return this.push(cursor.float64());
      case 0x58: // BINUNICODE
        return this.text(cursor.uint32());
      case 0x8c: // SHORT_BINUNICODE
        return this.text(cursor.byte());
      case 0x8d: // BINUNICODE8
        return this.text(cursor.length64());
      case 0x54: // BINSTRING, a str of Python 2
        return this.text(cursor.uint32());
      case 0x55: // SHORT_BINSTRING, a str of Python 2
        return this.text(cursor.byte());
      case 0x42: // BINBYTES
        return this.push(cursor.slice(cursor.uint32()));
      case 0x43: // SHORT_BINBYTES
        return this.push(cursor.slice(cursor.byte()));
      case 0x8e: // BINBYTES8
        return this.push(cursor.slice(cursor.length64()));
      case 0x5d: // EMPTY_LIST
      case 0x8f: // EMPTY_SET, kept as a list: no state dict looks into one
        return this.list([]);
      case 0x61: // APPEND
        return this.append([this.pop()]);
      case 0x65: // APPENDS
      case 0x90: // ADDITEMS
        return this.append(this.popMark());
      case 0x6c: // LIST
        return this.list(this.popMark());
      case 0x29: // EMPTY_TUPLE
        return this.tuple([]);
      case 0x74: // TUPLE
        return this.tuple(this.popMark());
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.tuple(this.popSome(opcode - 0x84));
      case 0x7d: // EMPTY_DICT
        return this.dict();
      case 0x64: {
        // DICT
        const items = this.popMark();
        this.dict();
        return this.assign(items);
      }
      case 0x73: // SETITEM
        return this.assign(this.popSome(2));
      case 0x75: // SETITEMS
        return this.assign(this.popMark());
      case 0x63: // GLOBAL
        return this.push(this.environment.global(cursor.line(), cursor.line()));
      case 0x93: {
        // STACK_GLOBAL
        const [module, name] = this.popSome(2);
        if (typeof module !== 'string' || typeof name !== 'string') throw this.corrupt('a global has no name');
        return this.push(this.environment.global(module, name));
      }
      case 0x52: // REDUCE
        return this.reduce();
      case 0x62: // BUILD
        return this.build();
      case 0x51: // BINPERSID
        return this.push(this.environment.persistent(this.pop()));
      case 0x71: // BINPUT
        return this.remember(cursor.byte());
      case 0x72: // LONG_BINPUT
        return this.remember(cursor.uint32());
      case 0x94: // MEMOIZE
        return this.remember(this.memo.size);
      case 0x68: // BINGET
        return this.recall(cursor.byte());
      case 0x6a: // LONG_BINGET
        return this.recall(cursor.uint32());
      default:
        throw this.refuse(opcode, at);
    }
  }

  private push(value: PickleValue): void {
    this.stack.push(value);
  }

  private pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined) throw this.corrupt('its stack runs empty');
    return value;
  }

  private top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined) throw this.corrupt('its stack runs empty');
    return value;
  }

  private popSome(count: number): PickleValue[] {
    if (this.stack.length < count) throw this.corrupt('its stack runs empty');
    return this.stack.splice(-count);
  }

  /** All values since the last mark, which goes too. */
  private popMark(): PickleValue[] {
    const items = this.stack;
    const below = this.marks.pop();
    if (below === undefined) throw this.corrupt('a mark is missing');
    this.stack = below;
    return items;
  }

  private list(items: PickleValue[]): void {
    this.budget.spend(...pickleCosts.list);
    this.push(new PickleList(items));
  }

  private tuple(items: readonly PickleValue[]): void {
    this.budget.spend(...pickleCosts.tuple);
    this.push(new PickleTuple(items));
  }

  private dict(): void {
    this.budget.spend(...pickleCosts.dict);
    this.push(new PickleDict());
  }

  private integer(length: number): void {
    if (length < 0 || length > pickleLimits.integerBytes) throw this.corrupt(`an integer of ${length} bytes`);
    this.push(this.cursor.integer(length));
  }

  private text(length: number): void {
    const bytes = this.cursor.slice(length);
    this.budget.spend(1, length);
    try {
      this.push(utf8.decode(bytes));
    } catch {
      throw this.corrupt('a string is not UTF-8');
    }
  }

  private append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!(list instanceof PickleList)) throw this.corrupt(`appends to ${typeName(list)}`);
    for (const item of items) list.items.push(item);
  }

  private assign(items: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof PickleDict)) throw this.corrupt(`sets items of ${typeName(dict)}`);
    if (items.length % 2 !== 0) throw this.corrupt('a key has no value');
    const [steps, memory] = pickleCosts.entry;
    this.budget.spend((steps * items.length) / 2, (memory * items.length) / 2);
    for (let i = 0; i < items.length; i += 2) dict.entries.set(items[i]!, items[i + 1]!);
  }

  private reduce(): void {
    const [callable, args] = this.popSome(2);
    this.budget.spend(...pickleCosts.call);
    if (!(args instanceof PickleTuple)) throw this.corrupt(`arguments are ${typeName(args)}, not a tuple`);
    if (!(callable instanceof PickleGlobal) || callable.call === undefined) {
      throw new HubError(
        'UNSAFE_PICKLE',
        `${this.place}: the pickle calls ${typeName(callable)}, refused. ${safeRemedy}`,
        {
          place: this.place,
          value: typeName(callable),
        },
      );
    }
    this.push(callable.call(args.items));
  }

  /** Attributes of an OrderedDict (a state dict's `_metadata`) are dropped; no other object takes any. */
  private build(): void {
    this.pop();
    const target = this.top();
    if (!(target instanceof PickleDict)) {
      throw new HubError(
        'UNSAFE_PICKLE',
        `${this.place}: the pickle sets the state of ${typeName(target)}, refused. ${safeRemedy}`,
        { place: this.place, value: typeName(target) },
      );
    }
  }

  private remember(index: number): void {
    this.budget.spend(...pickleCosts.memo);
    this.memo.set(index, this.top());
  }

  private recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.corrupt(`its memo has no entry ${index}`);
    this.push(value);
  }

  private refuse(opcode: number, at: number): HubError {
    const name = refusedOpcodes[opcode];
    if (name === undefined) return this.corrupt(`${shown(opcode)} at byte ${at} is no opcode`);
    const { place } = this;
    const what = opcode === 0x69 ? `${name} of ${shown(`${this.cursor.line()}.${this.cursor.line()}`)}` : name;
    return new HubError('UNSAFE_PICKLE', `${place}: the pickle uses ${what} at byte ${at}, refused. ${safeRemedy}`, {
      place,
      value: name,
    });
  }

  private corrupt(problem: string): HubError {
    const { place } = this;
    return new HubError('CORRUPT_FILE', `${place}: not a pickle that can be read: ${problem}. Fetch the file again.`, {
      place,
    });
  }
}
