"""A loop round a model with function calling, as the chat APIs have it; here the model is a script.

What the loop adds for the guard is one `except`: a refusal goes back to the model as the tool's
result, so that it can go on, ask a person, or say that it can't.
"""

import json
from pathlib import Path

import guardrails

guard = guardrails.Guard.load(Path(__file__).parent / "policies")


@guard.tool
def find_order(number: str) -> str:
    """Look an order up by its number."""
    return f"order {number}: two lamps, 80.00, arrived broken"


@guard.tool
def refund(number: str, amount: float) -> str:
    """Give money back for an order."""
    return f"refunded {amount:.2f} for order {number}"


TOOLS = {"find_order": find_order, "refund": refund}


def answer(call: dict) -> dict:
    """The message that goes back to the model for one of its tool calls."""
    function = call["function"]
    try:
        arguments = json.loads(function["arguments"])
        tool = TOOLS.get(function["name"])
        if tool is None:
            content = guard.run(function["name"], arguments, lambda **_: "there is no such tool")
        else:
            content = tool(**arguments)
    except (guardrails.ActionDenied, guardrails.ApprovalRequired) as refusal:
        content = f"Not done: {refusal}"
    except (TypeError, ValueError) as error:
        content = f"Not understood: {error}"
    return {"role": "tool", "tool_call_id": call["id"], "content": content}


SCRIPT = iter(
    [
        ("find_order", '{"number": "1207"}'),
        ("refund", '{"number": "1207", "amount": 80}'),
        ("refund", '{"number": "1207", "amount": 40}'),
        ("refund", '{"number": "1207", "amount": "40"}'),
        ("refund_all", "{}"),
    ]
)


def model(messages: list[dict]) -> dict:
    """What the model says next: a tool call from the script, or its last words."""
    for name, arguments in SCRIPT:
        call = {
            "id": f"call-{len(messages)}",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        return {"role": "assistant", "tool_calls": [call]}
    return {"role": "assistant", "content": "I refunded 40; finance must decide on the rest."}


def converse(question: str) -> None:
    """Go round until the model calls no tool."""
    messages = [{"role": "user", "content": question}]
    while calls := (reply := model(messages)).get("tool_calls"):
        messages += [reply, *map(answer, calls)]
        function = calls[0]["function"]
        print(f"{function['name']} {function['arguments']}\n  {messages[-1]['content']}")
    print(reply["content"])


with guard.session(subject="support-bot", on_behalf_of="dana@example.com"):
    converse("Order 1207 arrived broken. I want my 80 back.")
