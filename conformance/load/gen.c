// SPDX-FileCopyrightText: The Media Streaming Mesh authors
// SPDX-License-Identifier: Apache-2.0
// gen PORT PPS SECONDS FLOWS BYTES [g]: sends RTP-shaped datagrams to 127.0.0.1:PORT, one socket per flow, flow after flow in bursts of
// BURST (environment; 1, or 32 with g; at most 32). Each flow has its own SSRC (its index) and sequence numbers. With g, a burst is one
// UDP_SEGMENT send. Prints one line.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
enum { MOST = 32, MAX = 2048 };
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec * 1e-9; }
int main(int argc, char **argv) {
  if (argc < 6) return fprintf(stderr, "gen PORT PPS SECONDS FLOWS BYTES [g]\n"), 2;
  int port = atoi(argv[1]), flows = atoi(argv[4]), len = atoi(argv[5]), gso = argc > 6;
  int burst = getenv("BURST") ? atoi(getenv("BURST")) : gso ? MOST : 1;
  if (burst < 1 || burst > MOST) return fprintf(stderr, "BURST: 1 to 32\n"), 2;
  double pps = atof(argv[2]), seconds = atof(argv[3]);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int *fd = calloc(flows, sizeof *fd);
  unsigned short *seq = calloc(flows, sizeof *seq);
  for (int i = 0; i < flows; i++) { fd[i] = socket(AF_INET, SOCK_DGRAM, 0); connect(fd[i], (void *)&to, sizeof to); }
  static unsigned char buf[MOST][MAX];
  struct iovec iov[MOST];
  struct mmsghdr m[MOST];
  memset(m, 0, sizeof m);
  for (int i = 0; i < burst; i++) { iov[i] = (struct iovec){buf[i], len}; m[i].msg_hdr.msg_iov = &iov[i]; m[i].msg_hdr.msg_iovlen = 1; }
  char control[CMSG_SPACE(2)] = {0};
  struct msghdr one = {.msg_iov = iov, .msg_iovlen = burst, .msg_control = control, .msg_controllen = sizeof control};
  struct cmsghdr *c = CMSG_FIRSTHDR(&one);
  c->cmsg_level = 17; c->cmsg_type = 103; c->cmsg_len = CMSG_LEN(2); *(unsigned short *)CMSG_DATA(c) = len; // UDP_SEGMENT
  long sent = 0, failed = 0;
  double t0 = now();
  for (int f = 0; now() - t0 < seconds; f = (f + 1) % flows) {
    while (sent >= (now() - t0) * pps && now() - t0 < seconds) usleep(50);
    unsigned ts = (unsigned)((now() - t0) * 90000);
    for (int i = 0; i < burst; i++) {
      unsigned char *p = buf[i];
      p[0] = 0x80; p[1] = 96; p[2] = seq[f] >> 8; p[3] = seq[f]; seq[f]++;
      p[4] = ts >> 24; p[5] = ts >> 16; p[6] = ts >> 8; p[7] = ts;
      p[8] = 0; p[9] = 0; p[10] = f >> 8; p[11] = f;
    }
    int r = gso ? (sendmsg(fd[f], &one, 0) > 0 ? burst : -1) : sendmmsg(fd[f], m, burst, 0);
    if (r > 0) sent += r; else failed++;
  }
  printf("gen: sent %ld datagrams, %.0f/s, %ld failed bursts\n", sent, sent / (now() - t0), failed);
}
