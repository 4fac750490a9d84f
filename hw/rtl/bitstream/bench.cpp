// A netlist of a board in simulation, its serial line at a pseudo-terminal: prints the terminal's name and runs until its
// standard input ends. The baud rate that the host sets on the terminal says how many cycles a bit has.
// Arguments: Hz of the clock, cycles without traffic after which time stands still, number of the fault (0: none).
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <asm/termbits.h>
#include <sys/ioctl.h>

#include "Vcrq_netlist.h"
#include "verilated.h"

static int terminal() {
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  int number = 0, unlock = 0;
  if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) || ioctl(master, TIOCGPTN, &number)) {
    std::perror("pseudo-terminal");
    std::exit(1);
  }
  char name[32];
  std::snprintf(name, sizeof name, "/dev/pts/%d", number);
  // Held open here too: otherwise reading fails whenever the host closes its end.
  int slave = open(name, O_RDWR | O_NOCTTY);
  struct termios2 raw;
  ioctl(slave, TCGETS2, &raw);
  raw.c_iflag = raw.c_oflag = raw.c_lflag = 0;
  raw.c_cc[VMIN] = 1;
  ioctl(slave, TCSETS2, &raw);
  std::printf("%s\n", name);
  std::fflush(stdout);
  fcntl(master, F_SETFL, O_NONBLOCK);
  return master;
}

static long cycles_per_bit(int master, double hz) {
  struct termios2 now;
  if (ioctl(master, TCGETS2, &now) || now.c_ospeed == 0) return 8;
  long found = (long)(hz / now.c_ospeed + 0.5);
  return found > 0 ? found : 1;
}

static bool readable(int file, int wait) {
  struct pollfd polled = {file, POLLIN, 0};
  return poll(&polled, 1, wait) > 0;
}

int main(int argc, char** argv) {
  const double hz = std::atof(argv[1]);
  const long long patience = std::atoll(argv[2]);
  VerilatedContext context;
  context.randReset(2);
  context.randSeed(1);
  Vcrq_netlist dut(&context);
  dut.rx = 1;
#ifdef CRQ_FAULTS
  dut.fault = std::atoi(argv[3]);
#else
  (void)argc;
#endif
  const int master = terminal();
  long divisor = 8, to_send = 0, to_come = 0, out_count = 0, in_count = 0;
  unsigned char sending = 0, coming = 0;
  long long quiet = 0, hand_over = -1;
  for (long long cycle = 0;; cycle++, quiet++) {
    if (cycle % 1024 == 0 || quiet > patience) {
      if (readable(0, 0)) return 0;
      if (quiet > patience && !readable(master, 20)) continue;
    }
    if (to_send == 0 && (cycle % 64 == 0 || quiet < 64) && read(master, &sending, 1) == 1) {
      to_send = 10;
      divisor = cycles_per_bit(master, hz);
    }
    // Host to board.
    if (to_send > 0) {
      quiet = 0;
      if (out_count == 0) {
        dut.rx = to_send == 10 ? 0 : to_send == 1 ? 1 : sending >> (9 - to_send) & 1;
        out_count = divisor;
      }
      if (--out_count == 0) to_send--;
    }
    dut.clk_in = 0;
    dut.eval();
    dut.clk_in = 1;
    dut.eval();
    // Board to host: sampled in the middle of each bit, and handed over when the stop bit is over: this host is so quick
    // that it would answer within it.
    if (to_come == 0) {
      if (!dut.tx && cycle > 64) {
        to_come = 10;
        in_count = divisor / 2;
      }
    } else if (--in_count <= 0) {
      quiet = 0;
      in_count = divisor;
      if (to_come < 10 && to_come > 1) coming = coming >> 1 | dut.tx << 7;
      if (--to_come == 0) hand_over = cycle + divisor / 2 + 4;
    }
    if (cycle == hand_over && write(master, &coming, 1) != 1) return 1;
  }
}
