// SPDX-License-Identifier: MIT
#pragma once

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

namespace brood::testing {

// A folder of its own for one test, gone with it.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "brood-test-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("cannot make " + pattern);
    folder_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

inline void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::app) << text;
}

inline std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A door between processes: who passes it waits until it's opened, once for each.
class Gate {
 public:
  explicit Gate(const Scratch& scratch, const std::string& name = "gate")
      : path_(scratch.path(name)) {
    if (::mkfifo(path_.c_str(), 0600) != 0) throw std::runtime_error("cannot make " + path_);
  }
  const std::string& path() const noexcept { return path_; }
  // Blocks: until somebody waits there.
  void open() const { std::ofstream(path_) << 'x'; }

 private:
  std::string path_;
};

// Blocks: until the gate is opened.
inline void pass(const std::string& gate) { std::ifstream(gate).get(); }

}  // namespace brood::testing
