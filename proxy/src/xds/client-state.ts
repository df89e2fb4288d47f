// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { Rejection, ResourceType, ResourceUpdate } from "../config/resource.ts";

/** What a response comes to: the update to apply, and what was refused before it got that far. */
export interface Received {
  readonly update: ResourceUpdate;
  readonly rejections: readonly Rejection[];
  readonly nonce: string;
  readonly version: string;
  /** By name, of everything that the response says is wanted: how long it lives from now on; for ever if undefined. */
  readonly lifetimesMs: ReadonlyMap<string, number | undefined>;
}

/** The client's side of one variant of the xDS protocol, without I/O: requests come out, responses go in. */
export interface ClientState<Request, Response> {
  /** A stream is open: the requests with which it begins, the node in the first. */
  open(): readonly Request[];
  /** The stream is gone. What was accepted stays known. */
  close(): void;
  /** Wants exactly these names of a type; returns the request that says so, if the server has to be told. */
  subscribe(type: ResourceType, names: ReadonlySet<string>): Request | undefined;
  /** Reads a response; undefined for one that was not asked for, which is ignored. */
  receive(response: Response): Received | undefined;
  /** The update was applied, but for these: notes what is known now, and returns the ACK or the NACK. */
  answer(received: Received, rejections: readonly Rejection[]): Request;
  /** A resource has expired: the server has to send it again. */
  forget(type: ResourceType, name: string): void;
}

/** `google.rpc.Code.INVALID_ARGUMENT`, the code of a NACK. */
export const INVALID_ARGUMENT = 3;
