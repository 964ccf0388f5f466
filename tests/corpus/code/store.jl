module Storage

using Dates

const LIMIT = 10

"""
    Store(size)

Keeps values by name.
"""
mutable struct Store{T} <: AbstractStore
    size::Int
end

abstract type Shape end

"Loads a value."
function load(store::Store, name::String)
    return name
end

area(s::Shape) = 0.0

macro shout(x)
    return x
end

function Base.length(s::Store)
    s.size
end

end
