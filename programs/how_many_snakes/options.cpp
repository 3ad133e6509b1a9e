// SPDX-License-Identifier: MIT
#include "how_many_snakes/options.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <system_error>

#include <CLI/CLI.hpp>
#include <brood/brood.hpp>

#include "how_many_snakes/in_quotes.hpp"

namespace snakes {
namespace {

namespace fs = std::filesystem;

constexpr const char* purpose =
    "How many workers do you need? For each file below DIR: its SHA-256 and its compressed size,\n"
    "first in a plain loop, then on pools of 1, 2, 3 .. workers, which are threads or processes.";

constexpr const char* exit_codes =
    "A large folder is not measured whole: a sample of its files is, the same in each run.\n"
    "Exit code: 0, or 1 when a result differed or a file could not be digested or changed\n"
    "meanwhile, or 2 when the command line or the folder makes no sense, or a report or a plot\n"
    "cannot be written.";

// What `sizes` and `numbers` say in place of CLI11's own words.
CLI::Validator number_from(std::int64_t least, std::int64_t most) {
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  return CLI::Validator(
      [=](const std::string& given) {
        std::int64_t number = 0;
        const bool is_number = CLI::detail::lexical_cast(given, number);
        if (is_number && number >= least && number <= most) return std::string();
        return "cannot take '" + given + "': give a number from " + range;
      },
      range);
}

CLI::Validator size_in_bytes() {
  CLI::Validator size = CLI::AsSizeValue(true);
  return CLI::Validator(
      [size](std::string& given) {
        std::string number = given;
        try {
          if (given[0] != '-' && size(number).empty() && number != "0") {
            given = number;
            return std::string();
          }
        } catch (const CLI::ValidationError&) {
        }
        return "cannot take '" + given + "': give a size as 50000, 200MB or 1GiB";
      },
      "SIZE");
}

CLI::Validator one_of_contexts() {
  return CLI::Validator(
      [](const std::string& given) {
        if (given == "process" || given == "thread" || given == "both") return std::string();
        return "cannot take '" + given + "': give process, thread or both";
      },
      "KIND");
}

void require_writable(const std::string& file, const std::string& option) {
  if (file.empty()) return;
  const fs::path folder = fs::path(file).parent_path();
  const bool exists = ::access(file.c_str(), F_OK) == 0;
  const std::string asked = exists ? file : folder.empty() ? "." : folder.string();
  std::error_code ignored;
  if (fs::is_directory(file, ignored))
    errno = EISDIR;
  else if (::access(asked.c_str(), W_OK) == 0)
    return;
  throw UsageError("cannot write file " + in_quotes(file) + ": " +
                   std::generic_category().message(errno) + "; name another with " + option);
}

void add_options(CLI::App& app, Options& options, std::string& context) {
  app.add_option("DIR", options.folder, "The folder")->capture_default_str();
  app.add_flag("--hostile", options.hostile,
               "Three of the files crash, hang and devour memory; the rest must come out right");
  app.add_option("--workers", options.workers, "The most workers; default: 2 a CPU, 4 at least")
      ->check(number_from(1, 1024));
  app.add_option("--context", context,
                 "The kind of workers: process, thread or both; default: both")
      ->check(one_of_contexts());
  app.add_option("--repeat", options.repeat, "Runs of each kind, of which the fastest counts")
      ->check(number_from(1, 1000))
      ->capture_default_str();
  app.add_option("--limit", options.bounds.bytes, "The most bytes to take as the sample")
      ->transform(size_in_bytes())
      ->capture_default_str();
  app.add_option("--files", options.bounds.files, "The most files to take; default: any number")
      ->check(number_from(1, 1'000'000'000));
  app.add_option("--svg", options.plot, "Where the plot goes; '' for none")->capture_default_str();
  app.add_option("--digests", options.digests, "Where digests go, for sha256sum -c");
}

void parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    std::exit(0);
  } catch (const CLI::ParseError& error) {
    throw UsageError(std::string(error.what()) + "; --help lists the options");
  }
}

std::vector<Kind> kinds_of(const std::string& context, bool hostile) {
  if (hostile && context == "thread") {
    throw UsageError(
        "cannot survive hostile files on threads: a segfault in one is a segfault of the program; "
        "leave --context thread out");
  }
  if (hostile || context == "process") return {Kind::processes};
  if (context == "thread") return {Kind::threads};
  return {Kind::threads, Kind::processes};
}

}  // namespace

Options read_options(int argc, char** argv) {
  Options options;
  options.workers = std::max<std::size_t>(4, 2 * brood::cpu_count());
  std::string context = "both";
  CLI::App app{purpose};
  app.footer(exit_codes);
  add_options(app, options, context);
  parse(app, argc, argv);
  options.kinds = kinds_of(context, options.hostile);
  if (!options.hostile) require_writable(options.plot, "--svg");
  require_writable(options.digests, "--digests");
  return options;
}

}  // namespace snakes
