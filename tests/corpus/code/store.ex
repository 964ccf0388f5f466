defmodule Acme.Store do
  @moduledoc """
  Keeps values by name.

  The newest ones come first.
  """

  use GenServer

  @limit 10

  defstruct [:size, :name]

  @type t :: %__MODULE__{size: integer}

  @doc """
  Loads a value by its name.
  """
  @spec load(t, String.t()) :: term
  def load(%{size: size} = store, name) when is_binary(name) do
    {store, size}
  end

  def load(_, _), do: nil

  defp helper(a), do: a

  defmacro shout(x) do
    quote do: unquote(x)
  end

  defmodule Inner do
    def run, do: :ok
  end
end

defprotocol Acme.Shape do
  def area(shape)
end

defimpl Acme.Shape, for: Acme.Store do
  def area(_), do: 0
end

test "loads a value", %{store: store} do
  assert store
end
