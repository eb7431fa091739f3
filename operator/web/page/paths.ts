// Where the server has its documents, for both sides. Pure.

interface Key {
  namespace: string;
  name: string;
}

export const searchPath = ({ namespace, name }: Key): string =>
  `/api/searches/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

/** Of what has settled, all but the first `from`. */
export const trialsPath = (search: Key, from: number): string => `${searchPath(search)}/trials?from=${from}`;

export const trialPath = (search: Key, index: number): string => `${searchPath(search)}/trials/${index}`;

export const picturesPath = (search: Key, index: number): string => `${trialPath(search, index)}/pictures`;
