/** What every component reports as its version: the Kubernetes release whose wire it speaks, and our own count behind it. */
export const version = 'v1.36.2+coxswain.1';
