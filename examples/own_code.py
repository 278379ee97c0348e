"""Trace your own code: run this, then `tracetui`."""

from collector import flush, observe, span


@observe(kind="tool")
def get_order(user_id: int, order_id: int) -> dict[str, object]:
    return {"order_id": order_id, "owner": user_id, "status": "shipped"}


@observe(kind="agent", session="support-42", user="u-12345")
def answer(question: str) -> str:
    order = get_order(12345, 789)
    with span("chat", kind="llm", input=[{"role": "user", "content": question}], model="gpt-4o-mini") as call:
        text = f"Your order is {order['status']}."  # your model call goes here
        call.update(output=text, provider="openai", usage={"input_tokens": 52, "output_tokens": 9})
    return text


if __name__ == "__main__":
    print(answer("Where is my order 789?"))
    flush()
