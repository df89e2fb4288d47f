// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { HostPort } from "./proxy-bootstrap.ts";

/** A refusal as the control plane tells it at `/debug/resources`. */
export interface Refusal {
  readonly code: string;
  /** Empty for a whole file. */
  readonly field: string;
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** A resource with what became of it. */
export interface ResourceStatus {
  readonly kind: string;
  readonly name: string;
  readonly conditions: readonly {
    readonly type: string;
    readonly status: string;
    readonly message: string;
  }[];
}

/** Everything that the control plane knows of its configuration. */
export interface ConfigurationStatus {
  readonly resources: readonly ResourceStatus[];
  readonly refusals: readonly Refusal[];
}

const TIMEOUT_MS = 3000;

/** Reads from a control plane's HTTP address. Every call throws when it does not answer with 200 in three seconds. */
export class ControlPlaneStatus {
  readonly #address: HostPort;

  constructor(address: HostPort) {
    this.#address = address;
  }

  /** Reads `/debug/resources`. */
  async configuration(): Promise<ConfigurationStatus> {
    return JSON.parse(await this.#text("/debug/resources")) as ConfigurationStatus;
  }

  /** Everything that stands in the way of the configuration as it is written, a line each. */
  async problems(): Promise<readonly string[]> {
    const { resources, refusals } = await this.configuration();
    const refused = refusals.map(({ file, line, code, field, message }) =>
      [`${file}:${line}`, code, `${field === "" ? "" : `${field}: `}${message}`].join(" "),
    );
    const unprogrammed = resources
      .flatMap(({ conditions }) => conditions)
      .filter(({ type, status }) => type === "Programmed" && status === "False")
      .flatMap(({ message }) => message.split("\n"));
    return [...refused, ...new Set(unprogrammed)];
  }

  /** The value of a metric, `msm_config_refused{code="X"}`; undefined where there is none. */
  async metric(series: string): Promise<number | undefined> {
    const line = (await this.#text("/metrics")).split("\n").find((text) => text.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length));
  }

  async #text(path: string): Promise<string> {
    const url = `http://${this.#address}${path}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return response.text();
  }
}
