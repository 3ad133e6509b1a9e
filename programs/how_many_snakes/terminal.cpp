// SPDX-License-Identifier: MIT
#include "how_many_snakes/terminal.hpp"

#include <unistd.h>

#include <cstddef>
#include <cstdio>

namespace snakes {
namespace {

constexpr std::chrono::milliseconds interval{100};
constexpr std::size_t bar_length = 40;

}  // namespace

bool is_watched() { return ::isatty(STDERR_FILENO) != 0; }

Caption::Caption(const std::string& text) {
  if (is_watched()) std::fprintf(stderr, "%s\n", text.c_str());
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
  const auto filled = static_cast<std::size_t>(part * bar_length);
  const std::string line =
      "\r[" + std::string(filled, '#') + std::string(bar_length - filled, '.') + "]";
  std::fprintf(stderr, "%s %3.0f %%\x1b[K", line.c_str(), 100 * part);
  std::fflush(stderr);
}

}  // namespace snakes
