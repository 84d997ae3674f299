/** What every encrypted value starts with, whatever it was made with. */
export const sealedPrefix = Buffer.from('k8s:enc:');
