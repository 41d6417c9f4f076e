import typer
ramie_cli = typer.Typer()
