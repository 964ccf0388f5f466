{-# LANGUAGE OverloadedStrings #-}
-- | Keeps values by name.
module Data.Store
  ( Store (..)
  , load
  ) where

import qualified Data.Map as Map

-- | A store of values,
-- by their names.
data Store a = Store
  { items :: Map.Map String a
  , size  :: Int
  } deriving (Show)

newtype Name = Name { unName :: String }

type Names = [Name]

class Shape a where
  area :: a -> Double
  name :: a -> String
  name _ = "shape"

instance Shape (Store a) where
  area _ = 0

-- | Loads a value.
load :: String -> Store a -> Maybe a
load name (Store m _) = Map.lookup name m

fact :: Int -> Int
fact 0 = 1
fact n = n * fact (n - 1)

limit = 10

(<+>) :: Int -> Int -> Int
a <+> b = a + b

type family Elem c
