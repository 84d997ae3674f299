/**
 * A decoded value before validation: members that the type requires may still be missing, at any depth. Validation takes this,
 * so that the compiler makes it look.
 */
export type Unchecked<T> = T extends readonly (infer Item)[]
  ? readonly Unchecked<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]?: Unchecked<T[Key]> | undefined }
    : T;
