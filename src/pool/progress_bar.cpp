// SPDX-License-Identifier: MIT
#include "pool/progress_bar.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include "os/terminal.hpp"

namespace brood::detail {

bool ProgressBar::is_wanted() noexcept { return os::terminal_width(2) != 0; }

void ProgressBar::show(std::size_t done) {
  const double part = total_ == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total_);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - since_).count();
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  char tail[96];
  std::snprintf(tail, sizeof tail, " %3.0f %% %zu/%zu %.0f/s", 100 * part, done, total_, rate);
  const std::size_t columns = os::terminal_width(2);
  const std::string numbers(tail);
  const std::size_t room = columns > numbers.size() + 4 ? columns - numbers.size() - 4 : 0;
  const std::size_t length = std::min<std::size_t>(room, 50);
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(length));
  const std::string line = "\r[" + std::string(filled, '#') +
                           std::string(length - std::min(filled, length), '.') + "]" + numbers +
                           "\x1b[K";
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

void ProgressBar::finish(std::size_t done) {
  show(done);
  std::fputc('\n', stderr);
}

}  // namespace brood::detail
