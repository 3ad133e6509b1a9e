// SPDX-License-Identifier: MIT
#include "how_many_snakes/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>

#include <cstddef>
#include <cstdio>

namespace snakes {
namespace {

constexpr std::chrono::milliseconds interval{100};
constexpr std::size_t longest_bar = 40;

// A line that is longer goes on in the next, and is not taken away as one.
std::size_t columns() {
  struct winsize size{};
  // No columns: a terminal that was never told its size.
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 ? size.ws_col : 80;
}

}  // namespace

bool is_watched() { return ::isatty(STDERR_FILENO) != 0; }

Caption::Caption(const std::string& text) {
  if (is_watched()) std::fprintf(stderr, "%s\n", text.substr(0, columns() - 1).c_str());
}

void Caption::clear() {
  // Twice one line up, and what is below erased.
  if (is_watched()) std::fputs("\x1b[2A\r\x1b[J", stderr);
}

void Bar::add(std::uint64_t amount) {
  done_ += amount;
  if (!is_watched()) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - drawn_ < interval) return;
  drawn_ = now;
  draw();
}

void Bar::finish() {
  if (!is_watched()) return;
  done_ = total_;
  draw();
  std::fputc('\n', stderr);
}

void Bar::draw() const {
  const double part = total_ == 0 ? 1 : static_cast<double>(done_) / static_cast<double>(total_);
  constexpr std::size_t rest = sizeof "[] 100 %";
  const std::size_t room = columns() > rest ? columns() - rest : 0;
  const std::size_t bar_length = std::min(room, longest_bar);
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(bar_length));
  const std::string line =
      "\r[" + std::string(filled, '#') + std::string(bar_length - filled, '.') + "]";
  std::fprintf(stderr, "%s %3.0f %%\x1b[K", line.c_str(), 100 * part);
  std::fflush(stderr);
}

}  // namespace snakes
