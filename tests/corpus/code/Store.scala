package org.example.storage

import scala.collection.mutable

/** Keeps values by name.
  */
abstract class Store[A](size: Int) extends Base {
  type Key = String
  val limit: Int = 10
  private var items = Map.empty[String, A]

  def load(name: String): A = items(name)

  def clear(): Unit
}

object Store {
  implicit val ordering: Ordering[Store] = null
  def apply(): Store = ???
}

trait Shape {
  def area: Double
}

case class Point(x: Int, y: Int)

enum Colour:
  case Red, Green

given intOrd: Ordering[Int] with
  def compare(x: Int, y: Int) = 0
