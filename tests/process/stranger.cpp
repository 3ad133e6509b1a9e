// SPDX-License-Identifier: MIT
//
// A program as somebody writes it who knows the manual alone, in the trouble that
// its first word names. It tells what came of it in the file that its second word
// names, since it may have no stdout.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <brood/brood.hpp>

#include "support/watchdog.hpp"

namespace {

std::string file_to_tell;

void tell(const std::string& line) { std::ofstream(file_to_tell, std::ios::app) << line << '\n'; }

int square(int x) { return x * x; }
void leave(int code) { std::exit(code); }
void fail() { throw std::runtime_error("no luck"); }
void wait_for_ever() {
  for (;;) ::pause();
}

struct Named {
  const char* name;
  brood::Context context;
};
constexpr Named contexts[]{{"forkserver", brood::Context::forkserver},
                           {"fork", brood::Context::fork},
                           {"spawn", brood::Context::spawn}};

brood::Context context_named(std::string_view name) {
  for (const Named& known : contexts) {
    if (known.name == name) return known.context;
  }
  std::abort();
}

void use(const Named& named) {
  try {
    brood::Process process{{.context = named.context}, leave, 7};
    process.start();
    process.join();
    brood::Pool pool{{.processes = 2, .context = named.context}};
    const std::vector<int> squares = pool.map(square, {1, 2, 3});
    tell(std::string(named.name) + ": " + std::to_string(process.exitcode().value()) + ' ' +
         std::to_string(squares.at(2)));
  } catch (const brood::ContextError& refusal) {
    tell(std::string(named.name) + ": " + refusal.what());
  }
}
void use_all() {
  for (const Named& named : contexts) use(named);
}

void make_pool(const Named& named) {
  try {
    brood::Pool pool{{.processes = 1, .context = named.context}};
    tell("a pool");
  } catch (const brood::ContextError& refusal) {
    tell(refusal.what());
  }
}

void use_beside_threads() {
  std::binary_semaphore enough{0};
  brood::Thread thread{{.name = "bystander"}, [&enough] { enough.acquire(); }};
  thread.start();
  use_all();
  for (const Named& named : contexts) make_pool(named);
  try {
    brood::init();
  } catch (const brood::ContextError& refusal) {
    tell(std::string("init: ") + refusal.what());
  }
  enough.release();
  thread.join();
  // The refusals have left nothing behind.
  use(contexts[0]);
}

void deface(int argc, char** argv) {
  for (int i = 0; i < argc; ++i) std::memset(argv[i], 'z', std::strlen(argv[i]));
}

std::string open_streams() {
  std::string all;
  for (int fd = 0; fd < 3; ++fd) all += ::fcntl(fd, F_GETFD) == -1 ? '-' : '+';
  return all;
}

// Writes and reads where there may be no stream: none of it may reach brood.
void use_the_streams() {
  std::cout << "some text\n" << std::flush;
  std::cerr << "some more\n";
  char byte = 0;
  struct iovec to{&byte, 1};
  // Not waiting: for an instant a descriptor of the pool's thread may be born there.
  static_cast<void>(!::preadv2(0, &to, 1, -1, RWF_NOWAIT));
}

void use_beside_streams() {
  const std::string at_first = open_streams();
  use_the_streams();
  {
    brood::Pool pool{2};
    use_the_streams();
    const std::string in_worker = pool.apply(open_streams);
    // A descriptor of the pool's thread may be born there, and moves away at once.
    std::string beside_pool;
    brood::testing::Watchdog().sees([&] { return (beside_pool = open_streams()) == at_first; });
    tell("streams " + at_first + ' ' + beside_pool + ' ' + in_worker);
  }
  brood::Process daemon{{.daemon = true}, wait_for_ever};
  daemon.start();
  use_the_streams();
  use_all();
  tell(std::string("daemon ") + (daemon.is_alive() ? "alive" : "dead"));
}

void start_without_a_descriptor(const Named& named) {
  brood::Process process{{.context = named.context}, leave, 5};
  struct rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  struct rlimit low = limit;
  const int next = ::dup(2);
  ::close(next);
  low.rlim_cur = static_cast<rlim_t>(next);
  ::setrlimit(RLIMIT_NOFILE, &low);
  std::string refusal = "none";
  try {
    process.start();
  } catch (const brood::SystemError& error) {
    refusal = error.what();
  }
  ::setrlimit(RLIMIT_NOFILE, &limit);
  tell(refusal);
  tell(std::to_string(process.pid()));
  process.start();
  process.join();
  tell(std::to_string(process.exitcode().value()));
}

void print_and_fail() {
  for (const Named& named : contexts) {
    brood::Process process{{.name = named.name, .context = named.context}, fail};
    process.start();
    process.join();
    tell(std::to_string(process.exitcode().value()));
  }
}

// With a daemon, and then in some way.
int end(std::string_view way, brood::Context context) {
  brood::Process daemon{{.daemon = true, .context = context}, wait_for_ever};
  daemon.start();
  tell("daemon " + std::to_string(daemon.pid()));
  if (way == "return") return 4;
  if (way == "exit") std::exit(5);
  if (way == "_exit") ::_exit(6);
  if (way == "quick_exit") std::quick_exit(7);
  if (way == "abort") std::abort();
  if (way == "throw") fail();
  if (way == "kill") ::raise(SIGKILL);
  if (way == "terminate") ::raise(SIGTERM);
  if (way == "exec") ::execl("/bin/true", "true", nullptr);
  if (way == "wait") wait_for_ever();
  return 1;
}

// With a Process that is no daemon and that nobody destroys; it ends when the
// program has begun to.
int leave_one(brood::Context context) {
  static const std::string gate = file_to_tell + ".gate";
  static auto* const kept = new brood::Process{{.context = context},
                                               [](const std::string& at, const std::string& file) {
                                                 std::ifstream(at).get();
                                                 std::ofstream(file, std::ios::app)
                                                     << "the child ends\n";
                                               },
                                               gate,
                                               file_to_tell};
  kept->start();
  std::atexit([] {
    tell("main ends");
    std::ofstream(gate) << 'x';
  });
  return 3;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const std::string trouble = argv[1];
  file_to_tell = argv[2];
  if (trouble == "no init") return use_all(), 0;
  if (trouble == "threads") return use_beside_threads(), 0;
  if (trouble == "defaced before init") deface(argc, argv);

  brood::init(argc, argv);
  if (trouble == "init again") {
    brood::init();
    brood::init(argc, argv);
  }
  if (trouble == "defaced") deface(argc, argv);
  if (trouble == "deleted") std::filesystem::remove(argv[0]);
  if (trouble == "replaced") {
    const std::string other = std::string(argv[0]) + ".other";
    std::ofstream(other) << "#!/bin/sh\nexit 99\n";
    std::filesystem::rename(other, argv[0]);
  }
  if (trouble == "no folder") {
    const std::string folder = file_to_tell + ".folder";
    std::filesystem::create_directory(folder);
    std::filesystem::current_path(folder);
    std::filesystem::remove(folder);
  }
  if (trouble == "streams") return use_beside_streams(), 0;
  if (trouble == "no descriptor") {
    for (const Named& named : contexts) start_without_a_descriptor(named);
    return 0;
  }
  if (trouble == "failures") return print_and_fail(), 0;
  if (trouble == "end") return end(argv[3], context_named(argv[4]));
  if (trouble == "leave one") return leave_one(context_named(argv[3]));
  use_all();
}
