/** Keeps a value for each key while the key lives. The first look-up makes it. */
export const weaklyKeyed = <K extends object, V>(make: (key: K) => V): ((key: K) => V) => {
  const values = new WeakMap<K, V>()

  return (key) => {
    const value = values.get(key) ?? make(key)
    values.set(key, value)
    return value
  }
}
