// SPDX-License-Identifier: MIT
#include "os/memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

#include <brood/base/error.hpp>

#include "os/syscall.hpp"

// Linux 5.1.
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace brood::os {
namespace {

std::byte* map(int fd, std::size_t size, int protection, int flags) {
  // A length of zero can't be mapped; nothing can be read from one either.
  if (size == 0) return nullptr;
  void* const begin = ::mmap(nullptr, size, protection, flags, fd, 0);
  if (begin == MAP_FAILED) throw_system_error(errno, "map " + std::to_string(size) + " bytes");
  return static_cast<std::byte*>(begin);
}

bool has_seal(int fd, int seal) noexcept {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals != -1 && (seals & seal) != 0;
}

// The limit of file sizes counts for memory with a descriptor too, and whoever
// passes it is sent a signal that ends the program.
void require_within_file_limit(std::size_t size) {
  struct rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  if (size <= limit.rlim_cur) return;
  throw SystemError(EFBIG, "cannot make shared memory of " + std::to_string(size) +
                               " bytes: the limit of file sizes is " +
                               std::to_string(limit.rlim_cur) + " bytes; raise it (ulimit -f)");
}

}  // namespace

Mapping::~Mapping() {
  if (begin_) ::munmap(begin_, size_);
}

void Mapping::not_in_forks() const noexcept {
  if (begin_) ::madvise(begin_, size_, MADV_DONTFORK);
}

void Mapping::in_forks() const noexcept {
  if (begin_) ::madvise(begin_, size_, MADV_DOFORK);
}

void Mapping::let_write(bool wanted) const {
  if (!begin_) return;
  check(::mprotect(begin_, size_, wanted ? PROT_READ | PROT_WRITE : PROT_READ),
        "change who may write to shared memory");
}

void Mapping::not_in_dumps(std::size_t from) const noexcept {
  if (begin_ && from < size_) ::madvise(begin_ + from, size_ - from, MADV_DONTDUMP);
}

UniqueFd make_growing_memory(const char* name) {
  const int memory = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory == -1 && (errno == ENOSYS || errno == EPERM)) {
    throw SystemError(errno, "cannot make shared memory: " + reason(errno) +
                                 "; brood needs memfd_create, which this kernel or a sandbox "
                                 "around the program lacks");
  }
  return UniqueFd(check(memory, "make shared memory"));
}

void resize_memory(int fd, std::size_t size) {
  require_within_file_limit(size);
  const auto resized = uninterrupted([&] { return ::ftruncate(fd, static_cast<off_t>(size)); });
  check(resized, "make shared memory of " + std::to_string(size) + " bytes");
}

UniqueFd make_memory(const char* name, std::size_t size) {
  UniqueFd memory = make_growing_memory(name);
  resize_memory(memory.get(), size);
  check(::fcntl(memory.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL),
        "seal shared memory");
  return memory;
}

void seal_contents(int fd) {
  const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  // Refused while somebody has it mapped for writing.
  if (::fcntl(fd, F_ADD_SEALS, seals | F_SEAL_WRITE) == 0) return;
  if (::fcntl(fd, F_ADD_SEALS, seals | F_SEAL_FUTURE_WRITE) == -1) {
    check(::fcntl(fd, F_ADD_SEALS, seals), "seal shared memory");
  }
}

void seal_for_good(int fd) {
  check(::fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL),
        "seal shared memory");
}

bool seal_but_for_mappings(int fd) noexcept {
  return ::fcntl(fd, F_ADD_SEALS,
                 F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) == 0;
}

std::uint64_t memory_number(int fd) {
  struct stat about{};
  check(::fstat(fd, &about), "look at shared memory");
  return about.st_ino;
}

UniqueFd open_memory_of(int process, int fd) noexcept {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/fd/%d", process, fd);
  // What is there may be anything: a pipe, which would make us wait, or a terminal.
  return UniqueFd(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
}

// Nobody reads or writes it at a position that is kept.
std::size_t memory_size(int fd) {
  return static_cast<std::size_t>(
      check(::lseek(fd, 0, SEEK_END), "learn the size of shared memory"));
}

bool is_sealed_against_shrinking(int fd) noexcept { return has_seal(fd, F_SEAL_SHRINK); }
bool is_sealed_against_writing(int fd) noexcept { return has_seal(fd, F_SEAL_WRITE); }

void write_memory(int fd, std::size_t at, std::span<const std::byte> bytes) {
  require_within_file_limit(at + bytes.size());
  while (!bytes.empty()) {
    const auto written = static_cast<std::size_t>(
        check(uninterrupted(
                  [&] { return ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at)); }),
              "fill shared memory of " + std::to_string(at + bytes.size()) + " bytes"));
    at += written;
    bytes = bytes.subspan(written);
  }
}

void read_memory(int fd, std::span<std::byte> bytes) {
  off_t at = 0;
  while (!bytes.empty()) {
    const auto got = static_cast<std::size_t>(
        check(uninterrupted([&] { return ::pread(fd, bytes.data(), bytes.size(), at); }),
              "read shared memory"));
    if (got == 0) throw SystemError(EIO, "cannot read shared memory: it is too short");
    at += static_cast<off_t>(got);
    bytes = bytes.subspan(got);
  }
}

UniqueFd copy_to_memory(const char* name, std::span<const std::byte> bytes) {
  UniqueFd memory = make_growing_memory(name);
  write_memory(memory.get(), 0, bytes);
  seal_contents(memory.get());
  return memory;
}

Mapping map_shared(int fd, std::size_t size) {
  return {map(fd, size, PROT_READ | PROT_WRITE, MAP_SHARED), size};
}

Mapping map_private(std::size_t size) {
  void* const begin = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (begin == MAP_FAILED) throw_system_error(errno, "map " + std::to_string(size) + " bytes");
  return {static_cast<std::byte*>(begin), size};
}

// Private, though nothing is ever written: before Linux 6.7 what is sealed against
// writing could not be mapped as shared, not even to be read.
Mapping map_read_only(int fd, std::size_t size) {
  return {map(fd, size, PROT_READ, MAP_PRIVATE), size};
}

std::optional<SealedMemory> open_sealed(UniqueFd memory, Seal least) {
  const int wanted = least == Seal::for_good ? F_SEAL_WRITE : F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
  if (!is_sealed_against_shrinking(memory.get()) || !has_seal(memory.get(), wanted)) {
    return std::nullopt;
  }
  SealedMemory sealed;
  sealed.mapping = map_read_only(memory.get(), memory_size(memory.get()));
  // The kernel gives the lowest number that is free.
  struct rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (static_cast<rlim_t>(memory.get()) < limit.rlim_cur / 2) sealed.memory = std::move(memory);
  return sealed;
}

}  // namespace brood::os
