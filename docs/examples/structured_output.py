"""An answer that is an instance of a class."""

from example_engine import example_engine
from pydantic import BaseModel

from allm_rx import Engine, generate


class Recipe(BaseModel):
    """Something to cook."""

    name: str
    minutes: int
    ingredients: list[str]


def main(engine: Engine) -> None:
    response = generate(engine, "A quick supper, please.", response_format=Recipe).run()

    recipe = response.parsed(Recipe)

    print(f"{recipe.name}, {recipe.minutes} minutes")
    for ingredient in recipe.ingredients:
        print("-", ingredient)


if __name__ == "__main__":
    with example_engine(__doc__) as engine:
        main(engine)
