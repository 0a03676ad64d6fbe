/** What piscina runs for records: a chunk of them, each answered with a record. */
export interface Item {
  id: number;
  name: string;
  values: number[];
  tags: Set<string | number>;
  at: Date;
}

export const answer = ({ id, name, values, tags, at }: Item): Item => ({
  id: id + 1,
  name,
  values,
  tags,
  at,
});

export default function chunk(items: Item[]): Item[] {
  return items.map(answer);
}
