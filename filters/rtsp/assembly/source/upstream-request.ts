// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
import { signedUrl } from "../protocol/credentials";
import { Exchange } from "../readers/exchange";
import { Track } from "./track";

/** A request to a server. */
export class UpstreamRequest {
  /** Field lines with their ends. */
  fields: string = "";
  body: string = "";
  /** For whom it is asked; null for the proxy itself. */
  exchange: Exchange | null = null;
  /** Of SETUP. */
  track: Track | null = null;

  constructor(
    readonly method: string,
    private readonly url: string,
    private readonly authorization: string,
  ) {}

  /** Adds a field, unless its value is empty. */
  add(name: string, value: string): void {
    if (value.length > 0) this.fields += name + ": " + value + "\r\n";
  }

  /** As it is sent. */
  text(sequence: i32): string {
    let text = this.method + " " + signedUrl(this.url, this.authorization) + " RTSP/1.0\r\n";
    text += "CSeq: " + sequence.toString() + "\r\n" + this.fields;
    if (this.authorization.length > 0) text += "Authorization: " + this.authorization + "\r\n";
    if (this.body.length > 0) text += "Content-Length: " + this.body.length.toString() + "\r\n";
    return text + "\r\n" + this.body;
  }
}
