// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

import type { DescMessage, Message } from "@msm/xds-protos";

/** One xDS resource that the translation made, and the keys of the mesh resources that it was made from. */
export interface Produced {
  readonly schema: DescMessage;
  readonly name: string;
  readonly message: Message;
  readonly origins: readonly string[];
}
