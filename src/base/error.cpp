// SPDX-License-Identifier: MIT
#include <brood/base/error.hpp>

// The destructors are here so that each type's vtable and type information
// exist once, in the library, and exceptions match across shared objects.
namespace brood {

Error::~Error() = default;
OwnError::~OwnError() = default;
ValueError::~ValueError() = default;
TimeoutError::~TimeoutError() = default;
TaskTimeout::~TaskTimeout() = default;
CancelledError::~CancelledError() = default;
ShipError::~ShipError() = default;
ContextError::~ContextError() = default;
BrokenPool::~BrokenPool() = default;
SystemError::~SystemError() = default;
WorkerCrashed::~WorkerCrashed() = default;
MemoryLimitExceeded::~MemoryLimitExceeded() = default;
RemoteError::~RemoteError() = default;

}  // namespace brood
