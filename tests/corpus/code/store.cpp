// Keeps values by name.
#include <string>

namespace acme::storage {

constexpr int kLimit = 10;
using Names = std::vector<std::string>;

/// A store of values
/// by name.
template <typename T>
class Store : public Base {
 public:
  explicit Store(int size);
  ~Store();
  T Load(const std::string& name) const {
    return T();
  }
  bool operator==(const Store& other) const { return true; }

 private:
  int size_;
};

template <typename T>
Store<T>::Store(int size) : size_(size) {}

template <typename T>
T* Store<T>::Find(const std::string& name) {
  return nullptr;
}

enum class Colour { Red, Green };

std::string& Name(int i) {
  static std::string s;
  return s;
}

template <typename T>
concept Small = sizeof(T) < 8;

}  // namespace acme::storage

int main(int argc, char** argv) { return 0; }
