import { testStore } from './conformance.ts';
import { MemoryStore } from './memory.ts';

testStore('MemoryStore', async (clock) => new MemoryStore({ clock }));
