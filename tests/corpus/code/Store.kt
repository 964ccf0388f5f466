package org.example.storage

import kotlin.math.PI

const val LIMIT = 10

/**
 * Keeps values by name.
 */
@Serializable
class Store<T>(private val size: Int) : Base() {
    val count: Int
        get() = size

    constructor() : this(0)

    fun load(name: String): T? {
        return null
    }

    companion object {
        fun create() = Store<Int>(1)
    }
}

interface Shape {
    fun area(): Double
}

object Registry {
    val names = mutableListOf<String>()
}

enum class Colour { RED, GREEN }

data class Point(val x: Int, val y: Int)

typealias Names = List<String>

fun String.shout(): String = uppercase()

inline fun <reified T> List<T>.second(): T {
    return this[1]
}
