//! A store that keeps values by name.
const std = @import("std");

const limit = 10;

/// Keeps values by name,
/// the newest ones first.
pub const Store = struct {
    size: usize,
    items: []u8,

    const Self = @This();

    pub fn init(size: usize) Store {
        return .{ .size = size, .items = undefined };
    }

    fn deinit(self: *Self) void {
        _ = self;
    }
};

pub const Colour = enum { red, green };

const Value = union(enum) {
    int: i64,
};

pub fn List(comptime T: type) type {
    return struct {
        items: []T,
        pub fn len(self: @This()) usize {
            return self.items.len;
        }
    };
}

pub const Error = error{ OutOfMemory, Missing };

test "store loads" {
    try std.testing.expect(true);
}

export fn main() void {}
