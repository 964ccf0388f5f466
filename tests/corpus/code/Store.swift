import Foundation

let limit = 10

/// Keeps values by name,
/// the newest ones first.
@available(iOS 13, *)
public final class Store<T>: Base {
    public var size: Int = 0

    public init(size: Int) {
        self.size = size
    }

    deinit {}

    public func load(_ name: String) async throws -> T? {
        return nil
    }

    subscript(index: Int) -> T? { nil }
}

struct Point {
    let x: Int
}

enum Colour: String {
    case red
    case green
}

protocol Shape {
    var name: String { get }
    func area() -> Double
}

extension Store: Shape where T: Equatable {
    func area() -> Double { 0 }
}

typealias Names = [String]

func main() {
    print("hello")
}
