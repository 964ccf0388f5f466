<?php

namespace Acme\Storage;

use Closure;

const LIMIT = 10;

/**
 * Keeps values by name.
 */
#[Attribute]
abstract class Store extends Base implements Countable
{
    use Macroable;

    const SIZE = 10;

    protected $items = [];

    /**
     * Load a value.
     *
     * @return mixed
     */
    public function load(string $name)
    {
        return $this->items[$name];
    }

    abstract public function clear();
}

interface Shape
{
    public function area(): float;
}

trait Sizes
{
    public function size() { return 0; }
}

enum Colour: string
{
    case Red = 'red';
}

function helper($a)
{
    return $a;
}
