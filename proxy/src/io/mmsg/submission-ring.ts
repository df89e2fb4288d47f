// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { EAGAIN, ioUringEnter, ioUringSetup, MSG_DONTWAIT } from "./libc.ts";
import { writeAddress } from "./native-layout.ts";
import { NativeMemory } from "./native-memory.ts";

// io_uring(7), include/uapi/linux/io_uring.h. Offsets in 32-bit words.
const PARAMS_BYTES = 128;
const Params = { flags: 2, submissionOffsets: 10, completionOffsets: 20 } as const;
const Offsets = { tail: 1, mask: 2, array: 6, user: 8 } as const;
const CompletionOffsets = { head: 0, tail: 1, mask: 2, entries: 5, user: 8 } as const;
const Entry = { opcode: 0, fd: 1, address: 4, length: 6, flags: 7, user: 8 } as const;
const ENTRY_WORDS = 16;
const Completion = { user: 0, result: 2 } as const;
const COMPLETION_WORDS = 4;
/** Goes on where a submission is refused. */
const SETUP_SUBMIT_ALL = 1 << 7;
/** The rings are in memory of ours. */
const SETUP_NO_MMAP = 1 << 14;
/** Says nothing of what succeeded. */
const SKIP_SUCCESS = 1 << 6;
const OPERATION_SENDMSG = 9;
const OPERATION_SEND = 26;
/** How many sends there is room for. Each of the two parts takes no more than a page: its memory need not be contiguous. */
export const SUBMISSIONS = 64;
const PAGE_BYTES = 4096;

/**
 * Sends datagrams of many sockets by one system call, where the kernel has io_uring as Linux 6.5 made it and lets us use
 * it, which the default of some container engines does not.
 */
export class SubmissionRing {
  readonly fd: number;
  /** How many sends wait for `submit`. */
  count = 0;
  /** The errno of the failure that was asked for last. */
  error = 0;
  #submitted = 0;
  #refused = 0;
  readonly #words: Uint32Array;
  readonly #entries: number;
  readonly #tail: number;
  readonly #completionHead: number;
  readonly #completionTail: number;
  readonly #completions: number;
  readonly #completionMask: number;

  private constructor(fd: number, memory: NativeMemory, params: number) {
    const { words } = memory;
    this.fd = fd;
    this.#words = words;
    this.#entries = PAGE_BYTES / 4;
    const at = (kind: number, field: number): number => words[params + kind + field]! >> 2;
    this.#tail = at(Params.submissionOffsets, Offsets.tail);
    this.#completionHead = at(Params.completionOffsets, CompletionOffsets.head);
    this.#completionTail = at(Params.completionOffsets, CompletionOffsets.tail);
    this.#completions = at(Params.completionOffsets, CompletionOffsets.entries);
    this.#completionMask = words[at(Params.completionOffsets, CompletionOffsets.mask)]!;
    const array = at(Params.submissionOffsets, Offsets.array);
    for (let i = 0; i < SUBMISSIONS; i++) {
      words[array + i] = i;
      words[this.#entries + i * ENTRY_WORDS + Entry.flags] = MSG_DONTWAIT;
    }
  }

  /** Makes one, or returns undefined where the kernel does not let us. */
  static open(): SubmissionRing | undefined {
    const memory = new NativeMemory(2 * PAGE_BYTES + PARAMS_BYTES);
    const params = (2 * PAGE_BYTES) / 4;
    memory.words[params + Params.flags] = SETUP_NO_MMAP | SETUP_SUBMIT_ALL;
    writeAddress(memory.words, params + Params.completionOffsets + CompletionOffsets.user, memory.address);
    writeAddress(memory.words, params + Params.submissionOffsets + Offsets.user, memory.address + PAGE_BYTES);
    const fd = ioUringSetup(SUBMISSIONS, memory.address + 2 * PAGE_BYTES);
    return fd < 0 ? undefined : new SubmissionRing(fd, memory, params);
  }

  /** Adds a datagram, at a native address in two words, for a connected socket. `count` must be below `SUBMISSIONS`. */
  addSend(fd: number, addressLow: number, addressHigh: number, length: number): void {
    const entry = this.#next(fd);
    const words = this.#words;
    words[entry + Entry.opcode] = OPERATION_SEND | (SKIP_SUCCESS << 8);
    words[entry + Entry.address] = addressLow;
    words[entry + Entry.address + 1] = addressHigh;
    words[entry + Entry.length] = length;
  }

  /** The same for a `struct msghdr`, which must stay as it is until `submit`. */
  addMessage(fd: number, message: number): void {
    const entry = this.#next(fd);
    this.#words[entry + Entry.opcode] = OPERATION_SENDMSG | (SKIP_SUCCESS << 8);
    writeAddress(this.#words, entry + Entry.address, message);
    this.#words[entry + Entry.length] = 1;
  }

  /** Sends what was added, each by its own socket. See `nextFailure` for what became of it. */
  submit(): void {
    const words = this.#words;
    words[this.#tail]! += this.count;
    const submitted = Math.max(ioUringEnter(this.fd, this.count), 0);
    // What the kernel did not even look at must not wait for the next turn, when its memory holds something else.
    this.#refused = this.count - submitted;
    words[this.#tail]! -= this.#refused;
    this.#submitted = submitted;
    this.count = 0;
  }

  /** The place, in the order of `add`, of a datagram that was not sent, for which `error` is the errno; -1 where none is left. */
  nextFailure(): number {
    const words = this.#words;
    const head = words[this.#completionHead]!;
    if (head === words[this.#completionTail]) {
      this.error = EAGAIN;
      return this.#refused > 0 ? this.#submitted + --this.#refused : -1;
    }
    const at = this.#completions + (head & this.#completionMask) * COMPLETION_WORDS;
    words[this.#completionHead] = head + 1;
    this.error = -(words[at + Completion.result]! | 0);
    return words[at + Completion.user]!;
  }

  #next(fd: number): number {
    const index = (this.#words[this.#tail]! + this.count) & (SUBMISSIONS - 1);
    const entry = this.#entries + index * ENTRY_WORDS;
    this.#words[entry + Entry.fd] = fd;
    this.#words[entry + Entry.user] = this.count++;
    return entry;
  }
}
