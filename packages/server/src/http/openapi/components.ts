/** Schemas that have a title are shared: the document has them once, under that name, and refers to them. */

export interface Schema {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly $ref?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
}

export class ComponentSchemas {
  readonly #schemas = new Map<string, Schema>();

  /** @returns the schema, with a reference wherever it, or what is in it, has a title. */
  refer(schema: Schema): Schema {
    const { title, ...rest } = this.#referWithin(schema);
    if (title === undefined) return rest;
    const known = this.#schemas.get(title);
    if (known && describe(known) !== describe(rest)) throw new Error(`Two schemas have the title ${title}.`);
    if (!known?.description) this.#schemas.set(title, rest);
    return { $ref: `#/components/schemas/${title}` };
  }

  /** By name, in the order of the names. */
  all(): Record<string, Schema> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #referWithin({ anyOf, items, properties, additionalProperties, ...schema }: Schema): Schema {
    return {
      // Generators read the type first.
      ...(schema.enum?.every((each) => typeof each === 'string') && { type: 'string' }),
      ...schema,
      ...(anyOf && { anyOf: anyOf.map((each) => this.refer(each)) }),
      ...(items && { items: this.refer(items) }),
      ...(properties && {
        properties: Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, this.refer(each)])),
      }),
      ...(additionalProperties !== undefined && {
        additionalProperties:
          typeof additionalProperties === 'object' ? this.refer(additionalProperties) : additionalProperties,
      }),
    };
  }
}

/** What it allows: a parameter has the description of its schema itself. */
function describe({ description: _, ...rest }: Schema): string {
  return JSON.stringify(rest);
}
