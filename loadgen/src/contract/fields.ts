/** Reads fields of parsed JSON of unknown shape. Throws `ContractBreach` when a field breaks the contract. */
export class Fields {
  readonly #record: object;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ContractBreach(
        `${where}: expected a JSON object, got ${JSON.stringify(value)?.slice(0, 200)}`,
      );
    }
    this.#record = value;
    this.#where = where;
  }

  has(name: string): boolean {
    return this.#get(name) !== undefined;
  }

  integer(name: string): number {
    const value = this.#get(name);
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    throw this.#breach(name, 'a whole number', value);
  }

  string(name: string): string {
    const value = this.#get(name);
    if (typeof value === 'string') return value;
    throw this.#breach(name, 'a string', value);
  }

  boolean(name: string): boolean {
    const value = this.#get(name);
    if (typeof value === 'boolean') return value;
    throw this.#breach(name, 'true or false', value);
  }

  integerOrNull(name: string): number | null {
    return this.#get(name) === null ? null : this.integer(name);
  }

  stringOrNull(name: string): string | null {
    return this.#get(name) === null ? null : this.string(name);
  }

  object(name: string): Fields {
    return new Fields(this.#get(name), `${this.#where}.${name}`);
  }

  objects(name: string): Fields[] {
    const value = this.#get(name);
    if (!Array.isArray(value)) throw this.#breach(name, 'an array', value);
    return value.map((item, index) => new Fields(item, `${this.#where}.${name}[${index}]`));
  }

  #get(name: string): unknown {
    return Object.getOwnPropertyDescriptor(this.#record, name)?.value;
  }

  #breach(name: string, expected: string, value: unknown): ContractBreach {
    return new ContractBreach(`${this.#where}.${name}: expected ${expected}, got ${JSON.stringify(value)}`);
  }
}

/** The server sent an answer that its contract does not allow. */
export class ContractBreach extends Error {
  override readonly name = 'ContractBreach';
}
