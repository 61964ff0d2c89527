output "topic_arn" {
  description = "Topic of alarms."
  value       = aws_sns_topic.alarms.arn
}

output "log_groups" {
  description = "Log groups by tier."
  value       = { for tier, group in aws_cloudwatch_log_group.tier : tier => group.name }
}
