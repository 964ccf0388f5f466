# Keeps values by name.
library(methods)

limit <- 10

#' Load a value
#'
#' @param name the name
load_value <- function(name) {
  items[[name]]
}

save_value = function(name, value) {
  items[[name]] <<- value
}

setClass("Store", representation(size = "numeric"))

setMethod("show", "Store", function(object) {
  cat("store\n")
})

print.store <- function(x, ...) {
  cat("store\n")
}
