// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
// sink PORT SECONDS [n]: receives on PORT at every local address, with UDP_GRO unless n, and checks RTP sequence numbers per
// (destination address, SSRC), so that the copies of a fan-out are checked one by one. It also counts senders (address and port)
// that carried more than one SSRC to one destination: 0 where a relay keeps its sessions apart. Prints one line.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
enum { BATCH = 64, MAX = 65536, SLOTS = 1 << 20, PORTS = 65536 };
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
static unsigned char buf[BATCH][MAX], control[BATCH][128];
static struct { unsigned key; unsigned short next; char used; } slot[SLOTS];
static int ssrc_of_port[PORTS];
static char mixed[PORTS];
int main(int argc, char **argv) {
  if (argc < 3) return fprintf(stderr, "sink PORT SECONDS [n]\n"), 2;
  int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 64 << 20, one = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (argc < 4) setsockopt(fd, 17, 104, &one, sizeof one); // UDP_GRO
  setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
  struct timeval tv = {0, 200000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_ANY)}, from[BATCH];
  if (bind(fd, (void *)&at, sizeof at)) return perror("bind"), 1;
  struct mmsghdr m[BATCH];
  struct iovec iov[BATCH];
  memset(m, 0, sizeof m);
  memset(ssrc_of_port, -1, sizeof ssrc_of_port);
  long received = 0, missing = 0, late = 0, streams = 0, crossed = 0;
  double t0 = now(), first = 0, last = 0;
  while (now() - t0 < atof(argv[2])) {
    for (int i = 0; i < BATCH; i++) {
      iov[i] = (struct iovec){buf[i], MAX};
      m[i].msg_hdr = (struct msghdr){.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &iov[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]};
    }
    int n = recvmmsg(fd, m, BATCH, MSG_WAITFORONE, 0);
    if (n <= 0) continue;
    last = now();
    if (!first) first = last;
    for (int i = 0; i < n; i++) {
      int length = m[i].msg_len, segment = length;
      unsigned to = 0;
      for (struct cmsghdr *c = CMSG_FIRSTHDR(&m[i].msg_hdr); c; c = CMSG_NXTHDR(&m[i].msg_hdr, c)) {
        if (c->cmsg_level == 17 && c->cmsg_type == 104) segment = *(int *)CMSG_DATA(c);
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) to = ntohl(((struct in_pktinfo *)CMSG_DATA(c))->ipi_addr.s_addr);
      }
      int port = ntohs(from[i].sin_port);
      for (int at = 0; at < length; at += segment) {
        unsigned char *p = buf[i] + at;
        unsigned short seq = p[2] << 8 | p[3];
        int ssrc = p[10] << 8 | p[11];
        if ((to & 0xffff) <= 1) { // one destination: a relay; each sender port must carry one stream
          if (ssrc_of_port[port] < 0) ssrc_of_port[port] = ssrc;
          else if (ssrc_of_port[port] != ssrc && !mixed[port]) { mixed[port] = 1; crossed++; }
        }
        unsigned key = (to & 0xffff) << 16 | ssrc, h = key * 2654435761u >> 12;
        while (slot[h].used && slot[h].key != key) h = (h + 1) & (SLOTS - 1);
        if (!slot[h].used) { slot[h].used = 1; slot[h].key = key; slot[h].next = seq; streams++; }
        short ahead = seq - slot[h].next;
        if (ahead > 0) missing += ahead; else if (ahead < 0) late++;
        if (ahead >= 0) slot[h].next = seq + 1;
        received++;
      }
    }
  }
  printf("sink: received %ld datagrams of %ld streams, %.0f/s, lost %ld, late %ld, senders with mixed streams %ld\n", received, streams, last > first ? received / (last - first) : 0, missing - late > 0 ? missing - late : 0, late, crossed);
}
