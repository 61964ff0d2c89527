output "queue_url" {
  description = "Queue of files that came."
  value       = aws_sqs_queue.incoming.url
}

output "dead_queue_name" {
  description = "Where events wait that App could not finish."
  value       = aws_sqs_queue.dead.name
}
