import { Ledger } from './ledger';
import { type Operation } from './operation';
import { OperationStorage } from './operation-storage';

/** Studies in this process alone; they are gone with it. */
export class InMemoryStorage extends OperationStorage {
  private readonly ledger = new Ledger();

  protected override upToDate(): Ledger {
    return this.ledger;
  }

  protected override commit(operation: Operation): number | undefined {
    return this.ledger.apply(operation);
  }
}
