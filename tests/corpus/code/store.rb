# frozen_string_literal: true

require "set"

# Things that keep values.
module Storage
  LIMIT = 10

  # Keeps values by name,
  # the newest ones first.
  class Store < Base
    attr_reader :size, :name
    alias_method :length, :size

    def initialize(size)
      @size = size
    end

    def self.create
      new(1)
    end

    def empty?
      size.zero?
    end

    class << self
      def open(path) = new(path)
    end
  end

  class Error < StandardError; end
  Point = Struct.new(:x, :y)
end

describe "store" do
  it "loads" do
    expect(1).to eq(1)
  end
end
