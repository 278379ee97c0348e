"""The everyday runs between the stories: what an application looks like when it works, and when it fails."""

from __future__ import annotations

from contextlib import suppress

from tracetui.demo.model import ModelError
from tracetui.demo.stage import LOCAL, Stage, asks, observe, span

TURNS = 42
TRIP = (
    ("京都で三日間の旅程を作ってください。", "一日目は伏見稲荷、二日目は嵐山、三日目は金閣寺です。🍁"),
    ("¿Y algo para comer? 🍜", "Prueba el mercado de Nishiki: fideos, tofu y mochi. 😋"),
    ("ขอบคุณครับ แล้วอากาศล่ะ", "ช่วงนี้อากาศเย็นสบาย ประมาณ 18 องศา 🌤️"),
)


def long_conversation(stage: Stage) -> None:
    """One session of 42 turns, the whole history sent again with each."""
    messages = asks("You are a patient tutor of algebra. Keep answers short.", "")
    messages.pop()
    for number in range(1, TURNS + 1):
        asked = f"Question {number}: why does step {number} of the proof hold?"
        messages.append({"role": "user", "content": asked})
        with span("tutor_turn", kind="agent", session="algebra-101", user="u-31", input=asked) as turn:
            answer = f"Step {number} holds because both sides are divided by {number + 1}, which is not zero."
            size = 60 + 45 * number
            stage.chat(messages, answer, tokens=(size, 30), cached=max(0, size - 120), seconds=0.3)
            turn.update(output=answer)
        if stage.stopped():
            break


def languages(stage: Stage) -> None:
    """Text of many scripts, emoji included."""
    for asked, said in TRIP:
        with span("travel_agent", kind="agent", session="kyoto-✈️", user="u-8", input=asked) as agent:
            stage.chat(asks("You plan trips, in the language of the question.", asked), said, stream=True, seconds=1.8)
            agent.update(output=said)


def nested_agents(stage: Stage) -> None:
    """A supervisor with a worker that has a worker; a local model nobody has a price for."""

    @observe(kind="agent")
    def supervisor(question: str) -> str:
        with span("make_plan", kind="chain", input=question) as plan:
            stage.chat(asks("You make plans.", question), "1. look 2. check 3. answer", reasoning=96, tokens=(90, 140))
            plan.update(output="1. look 2. check 3. answer")
        answer: str = fact_checker(question)
        return answer

    @observe(kind="agent", tags=["checked"])
    def fact_checker(claim: str) -> str:
        with span("guard", kind="guardrail", input=claim) as guard:
            stage.nap(0.05)
            guard.update(output={"allowed": True})
        return str(reader(claim))

    @observe(kind="agent", metadata={"quantization": "q4"})
    def reader(claim: str) -> str:
        stage.chat(asks("You read sources.", claim), "Two sources agree.", model=LOCAL, tokens=(210, 12), seconds=0.9)
        return "Two sources agree."

    supervisor("Is the Eiffel Tower taller in summer?")


def failures(stage: Stage) -> None:
    """A rate limit, and a tool that raises; both reach the caller."""
    with span("nightly_eval", kind="chain", session="eval-1", input="case 17") as run:
        with suppress(ModelError):
            stage.chat(asks("You grade answers.", "Grade case 17."), model="always-429", status=429, seconds=0.1)
        run.update(output="skipped: rate limited")

    @observe(kind="tool")
    def charge_card(amount_cents: int) -> str:
        raise TimeoutError(f"payment gateway did not answer in 30 s (amount {amount_cents})")

    @observe(kind="agent", session="checkout-9", user="u-12345")
    def checkout(cart: list[str]) -> str:
        stage.chat(asks("You run checkouts.", "Pay for my cart."), tools=(("charge_card", {"amount_cents": 4200}),))
        return charge_card(4200)

    with suppress(TimeoutError):
        checkout(["blue mug", "green tea"])


SCENES = (nested_agents, languages, failures, long_conversation)
