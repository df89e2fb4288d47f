// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Words of a local address as the control messages IP_PKTINFO and IPV6_PKTINFO tell it (ip(7), RFC 3542 section 6): the index
 * of the interface where the address alone does not say by which one to answer, which is so in IPv6's link-local scope, or 0;
 * then the address in four words, of which IPv4 uses the first.
 */
export const LOCAL_WORDS = 5;
/** Byte offset of the address in it. */
export const LOCAL_ADDRESS = 4;
