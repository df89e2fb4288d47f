// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/** What stands for a listener's name in the metrics and logs of flows' filters. */
export const FLOWS = "flows";
