"""One sentence in several languages, and texts that are no sentences: to count tokens of."""

# Our own translations of one plain sentence.
PARALLEL_SENTENCES: dict[str, str] = {
    "English": "The owl sleeps by day and hunts by night.",
    "German": "Die Eule schläft am Tag und jagt in der Nacht.",
    "Spanish": "El búho duerme de día y caza de noche.",
    "Turkish": "Baykuş gündüz uyur ve gece avlanır.",
    "Russian": "Сова спит днём и охотится ночью.",
    "Arabic": "تنام البومة نهارًا وتصطاد ليلًا.",
    "Hindi": "उल्लू दिन में सोता है और रात में शिकार करता है।",
    "Chinese": "猫头鹰白天睡觉，晚上捕猎。",
    "Japanese": "フクロウは昼に眠り、夜に狩りをする。",
}

OTHER_TEXTS: dict[str, str] = {
    "Code": "def area(width, height):\n    return width * height\n",
    "Numbers": "3.14159 + 1024 = 1027.14159; 1,000,000 / 7 = 142857.142857",
    "Emoji": "🦉🌙 👩‍👩‍👧 🏳️‍🌈 ☕️☕️☕️",
    "Typos": "teh owl sleps buy dya adn hutns yb nigth",
}
