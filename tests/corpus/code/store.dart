import 'dart:io';

const limit = 10;

/// Keeps values by name,
/// the newest ones first.
@immutable
abstract class Store<T> extends Base with Sizes {
  final int size;
  Store(this.size);
  Store.empty() : size = 0;
  factory Store.create() => throw '';

  T? load(String name) {
    return null;
  }

  int get count => size;
  void clear();
}

mixin Sizes {
  int size() => 0;
}

enum Colour { red, green }

extension Shout on String {
  String shout() => toUpperCase();
}

typedef Handler = void Function(int);

void main() {
  print('hello');
}
