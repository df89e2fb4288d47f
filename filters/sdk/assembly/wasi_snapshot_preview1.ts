// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

// The functions of WASI that the SDK uses. The file's name is the module that they are imported from.
export declare function clock_time_get(clock: i32, precision: i64, out: usize): i32;
export declare function random_get(address: usize, size: usize): i32;
