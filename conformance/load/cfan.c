// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
// cfan IN COPIES SECONDS [g]: the C reference fan-out, 127.0.0.1:IN -> 127.0.1.1 .. 127.0.1.COPIES (or .2.x past 250), port 7002.
// recvmmsg(64), then sendmmsg of every copy; with g, UDP_GRO in and one UDP_SEGMENT send per receiver and burst.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
enum { BATCH = 64, MAX = 65536, COPIES = 1000 };
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static unsigned char buf[BATCH][MAX], control[BATCH][64];
static struct mmsghdr s[BATCH * COPIES];
int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "cfan IN COPIES SECONDS [g]\n"), 2;
  int out_port = 7002, copies = atoi(argv[2]), gro = argc > 4, in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0), size = 64 << 20, one = 1;
  setsockopt(in, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  setsockopt(out, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  if (gro) setsockopt(in, 17, 104, &one, sizeof one);
  struct timeval tv = {0, 200000};
  setsockopt(in, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, to[COPIES];
  if (bind(in, (void *)&at, sizeof at)) return perror("bind"), 1;
  for (int i = 0; i < copies; i++) to[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(out_port), .sin_addr.s_addr = htonl(0x7f000101 + i % 250 + (i / 250 << 8))};
  struct mmsghdr r[BATCH];
  struct iovec ri[BATCH], si[BATCH];
  memset(r, 0, sizeof r);
  for (double t0 = now(); now() - t0 < atof(argv[3]);) {
    for (int i = 0; i < BATCH; i++) {
      ri[i] = (struct iovec){buf[i], gro ? MAX : 2048};
      r[i].msg_hdr = (struct msghdr){.msg_iov = &ri[i], .msg_iovlen = 1};
      if (gro) { r[i].msg_hdr.msg_control = control[i]; r[i].msg_hdr.msg_controllen = sizeof control[i]; }
    }
    int n = recvmmsg(in, r, BATCH, MSG_WAITFORONE, 0), k = 0;
    if (n <= 0) continue;
    for (int i = 0; i < n; i++) {
      int segment = 0;
      for (struct cmsghdr *c = CMSG_FIRSTHDR(&r[i].msg_hdr); c; c = CMSG_NXTHDR(&r[i].msg_hdr, c))
        if (c->cmsg_level == 17 && c->cmsg_type == 104) segment = *(int *)CMSG_DATA(c);
      si[i] = (struct iovec){buf[i], r[i].msg_len};
      int segmented = segment && segment < (int)r[i].msg_len;
      if (segmented) { struct cmsghdr *c = (void *)control[i]; c->cmsg_level = 17; c->cmsg_type = 103; c->cmsg_len = CMSG_LEN(2); *(unsigned short *)CMSG_DATA(c) = segment; }
      for (int j = 0; j < copies; j++, k++) {
        s[k].msg_hdr = (struct msghdr){.msg_name = &to[j], .msg_namelen = sizeof to[j], .msg_iov = &si[i], .msg_iovlen = 1};
        if (segmented) { s[k].msg_hdr.msg_control = control[i]; s[k].msg_hdr.msg_controllen = CMSG_SPACE(2); }
      }
    }
    for (int done = 0; done < k;) { int sent = sendmmsg(out, s + done, k - done, 0); if (sent <= 0) break; done += sent; }
  }
}
