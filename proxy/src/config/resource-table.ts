// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import type { ConfigError } from "../config-error.ts";
import type { Accepted, Refused, Resource } from "./resource.ts";

/** The resources of one type by name: the form in force of each, and why its latest form is not, if it is not. */
export class ResourceTable<T> {
  readonly #accepted = new Map<string, Accepted<T>>();
  readonly #refused = new Map<string, Refused>();

  get(name: string): Accepted<T> | undefined {
    return this.#accepted.get(name);
  }

  refusalOf(name: string): Refused | undefined {
    return this.#refused.get(name);
  }

  accepted(): readonly Accepted<T>[] {
    return [...this.#accepted.values()];
  }

  /** Every name that has an accepted or a refused form. */
  names(): readonly string[] {
    return [...new Set([...this.#accepted.keys(), ...this.#refused.keys()])];
  }

  accept(accepted: Accepted<T>): void {
    this.#accepted.set(accepted.name, accepted);
    this.#refused.delete(accepted.name);
  }

  refuse({ name, version, body }: Pick<Resource, "name" | "version" | "body">, error: ConfigError): void {
    this.#refused.set(name, { version, body, error, attemptedAt: new Date() });
  }

  /** Forgets both forms. Returns whether there was an accepted one. */
  remove(name: string): boolean {
    this.#refused.delete(name);
    return this.#accepted.delete(name);
  }

  /** Forgets the accepted form alone. */
  withdraw(name: string): void {
    this.#accepted.delete(name);
  }

  /** Forgets every resource that nobody needs any more. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.names()) if (!names.has(name)) this.remove(name);
  }
}
