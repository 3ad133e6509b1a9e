// SPDX-License-Identifier: MIT
#include "how_many_snakes/digest.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <span>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <openssl/evp.h>
#include <zlib.h>

#include "how_many_snakes/in_quotes.hpp"

namespace snakes {
namespace {

constexpr std::size_t block_size = std::size_t{1} << 18;

using Bytes = std::span<std::uint8_t>;

class Sha256 {
 public:
  Sha256() {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) refuse();
  }

  void add(Bytes bytes) {
    if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) refuse();
  }

  std::array<std::uint8_t, 32> finish() {
    std::array<std::uint8_t, 32> result{};
    if (EVP_DigestFinal_ex(context_.get(), result.data(), nullptr) != 1) refuse();
    return result;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  [[noreturn]] static void refuse() { throw std::runtime_error("cannot compute SHA-256"); }

  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

class Deflater {
 public:
  Deflater() : packed_(block_size) {
    if (deflateInit(&stream_, Z_DEFAULT_COMPRESSION) != Z_OK) throw std::bad_alloc();
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  ~Deflater() { deflateEnd(&stream_); }

  void add(Bytes bytes) { run(bytes, Z_NO_FLUSH); }

  // The size of it all, packed.
  std::uint64_t finish() {
    run({}, Z_FINISH);
    return size_;
  }

 private:
  void run(Bytes bytes, int flush) {
    stream_.next_in = bytes.data();
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = packed_.data();
      stream_.avail_out = static_cast<uInt>(packed_.size());
      deflate(&stream_, flush);
      size_ += packed_.size() - stream_.avail_out;
    } while (stream_.avail_out == 0);
  }

  z_stream stream_{};
  std::vector<std::uint8_t> packed_;
  std::uint64_t size_ = 0;
};

class Reading {
 public:
  explicit Reading(const File& file) : file_(file), stream_(std::fopen(file.path.c_str(), "rbe")) {
    if (!stream_) refuse(std::generic_category().message(errno));
    std::setvbuf(stream_.get(), nullptr, _IONBF, 0);
  }

  // The next bytes; none at the end.
  Bytes next(std::vector<std::uint8_t>& block) {
    const std::size_t count = std::fread(block.data(), 1, block.size(), stream_.get());
    if (std::ferror(stream_.get()) != 0) refuse(std::generic_category().message(errno));
    read_ += count;
    if (read_ > file_.size || (count == 0 && read_ != file_.size)) refuse_size();
    return {block.data(), count};
  }

 private:
  struct Close {
    void operator()(std::FILE* stream) const { std::fclose(stream); }
  };
  [[noreturn]] void refuse(const std::string& reason) const {
    throw std::runtime_error("cannot read file " + in_quotes(file_.path) + ": " + reason);
  }
  [[noreturn]] void refuse_size() const {
    refuse("it had " + std::to_string(file_.size) + " bytes and now has " +
           (read_ > file_.size ? "more" : std::to_string(read_)) +
           "; choose files that nobody writes to meanwhile");
  }

  const File& file_;
  std::unique_ptr<std::FILE, Close> stream_;
  std::uint64_t read_ = 0;
};

}  // namespace

Digest digest_of(const File& file) {
  Reading reading(file);
  Sha256 hash;
  Deflater deflater;
  std::vector<std::uint8_t> block(block_size);
  for (Bytes bytes = reading.next(block); !bytes.empty(); bytes = reading.next(block)) {
    hash.add(bytes);
    deflater.add(bytes);
  }
  return {hash.finish(), deflater.finish()};
}

std::string hexadecimal(const std::array<std::uint8_t, 32>& sha256) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : sha256) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

}  // namespace snakes
