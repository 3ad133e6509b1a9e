// SPDX-License-Identifier: MIT
//
// How many workers do you need? Measured on the real files below a folder.
#include <cstdio>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include <brood/brood.hpp>

#include "how_many_snakes/checksums.hpp"
#include "how_many_snakes/hostile.hpp"
#include "how_many_snakes/in_quotes.hpp"
#include "how_many_snakes/measure.hpp"
#include "how_many_snakes/plot.hpp"

namespace {

using namespace snakes;

enum Exit { good = 0, wrong_results = 1, misuse = 2 };

std::string in_megabytes(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

std::string many(std::size_t count, const std::string& what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

// A report that nobody can read is not worth its while.
void require_output() {
  if (!std::cout.flush()) {
    throw std::runtime_error("cannot write the report: standard output is closed, or full");
  }
}

std::vector<File> choose_files(const Options& options) {
  Found found = walk(options.folder);
  if (found.files.empty()) {
    throw std::runtime_error(
        "cannot find a file below " + in_quotes(options.folder) + " that can be read" +
        (found.unreadable == 0 ? ""
                               : " (" + many(found.unreadable, "file") +
                                     " or folders there are without a right to)") +
        "; name another folder");
  }
  const std::size_t count = found.files.size();
  const std::uint64_t bytes = bytes_of(found.files);
  std::vector<File> files = take_sample(std::move(found.files), options.folder, options.bounds);
  if (files.empty()) {
    throw std::runtime_error("cannot take a sample: each of the " + many(count, "file") +
                             " below " + in_quotes(options.folder) + " has more than " +
                             in_megabytes(options.bounds.bytes) + "; raise --limit");
  }
  std::cout << many(files.size(), "file") << ", " << in_megabytes(bytes_of(files));
  if (files.size() < count) {
    std::cout << ": a sample of the " << many(count, "file") << ", " << in_megabytes(bytes);
  }
  std::cout << " below " << in_quotes(options.folder) << '\n';
  if (files.size() < count) std::cout << "(--limit and --files say how large a sample may be)\n";
  if (found.unreadable != 0) {
    std::cout << "Left out: " << many(found.unreadable, "file") << " or folders without a right to "
              << "read them\n";
  }
  if (found.other_systems != 0) {
    std::cout << "Left out: " << many(found.other_systems, "folder") << " on other file systems\n";
  }
  std::cout << std::endl;
  require_output();
  return files;
}

void complain(const std::vector<std::string>& failures) {
  constexpr std::size_t most_lines = 20;
  for (std::size_t i = 0; i < failures.size() && i < most_lines; ++i) {
    std::cerr << "how_many_snakes: " << failures[i] << '\n';
  }
  if (failures.size() > most_lines) {
    std::cerr << "how_many_snakes: and " << failures.size() - most_lines << " more\n";
  }
}

void write_plot(const Options& options, const Report& report, std::size_t files) {
  if (options.plot.empty()) return;
  const std::string title = "How many workers do you need? " + many(files, "file") + ", " +
                            in_megabytes(report.bytes) + ", SHA-256 and zlib";
  std::ofstream out(options.plot);
  out << plot(report, this_machine(), title);
  if (!out.flush()) throw std::runtime_error("cannot write plot " + in_quotes(options.plot));
  std::cout << "Plot: " << options.plot << '\n';
}

int compare(const Options& options, const Baseline& baseline) {
  const Measurement measured = measure(baseline, options);
  if (!measured.differences.empty()) {
    complain(measured.differences);
    return wrong_results;
  }
  for (const std::size_t file : measured.changed) {
    complain({in_quotes(baseline.files[file].path) +
              ": it changed meanwhile, so its results say nothing"});
  }
  std::cout << (measured.changed.empty() ? "All results" : "All other results")
            << " equal the serial ones.\n\n"
            << explain(measured.report, this_machine());
  write_plot(options, measured.report, baseline.files.size());
  return measured.changed.empty() ? good : wrong_results;
}

int run(const Options& options) {
  const Baseline baseline = run_serially(choose_files(options));
  complain(baseline.failures);
  if (baseline.files.empty()) return wrong_results;
  if (!options.digests.empty()) {
    write_checksums(options.digests, baseline.files, baseline.digests);
    std::cout << "Digests: " << options.digests << '\n';
  }
  const int outcome = options.hostile ? (survive(baseline, options.workers) ? good : wrong_results)
                                      : compare(options, baseline);
  return baseline.failures.empty() ? outcome : wrong_results;
}

}  // namespace

int main(int argc, char** argv) {
  brood::init(argc, argv);
  try {
    const int outcome = run(read_options(argc, argv));
    require_output();
    return outcome;
  } catch (const std::exception& error) {
    std::cerr << "how_many_snakes: " << error.what() << '\n';
    return misuse;
  }
}
